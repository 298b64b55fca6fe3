/**
 * A Pace runs a job when kicked: never twice at once, at most once in a gap, and
 * always once more after the last kick.
 */
export class Pace {
  private running = false;
  private wanted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = -Infinity;

  constructor(
    private readonly gap: number,
    private readonly job: () => Promise<void>,
  ) {}

  kick(): void {
    if (this.running) {
      this.wanted = true;
      return;
    }
    this.timer ??= setTimeout(() => void this.run(), Math.max(0, this.last + this.gap - Date.now()));
  }

  /** hurry is a kick that does not wait for the gap. */
  hurry(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = -Infinity;
    this.kick();
  }

  private async run(): Promise<void> {
    this.timer = undefined;
    this.running = true;
    this.last = Date.now();
    try {
      await this.job();
    } finally {
      this.running = false;
      if (this.wanted) {
        this.wanted = false;
        this.kick();
      }
    }
  }
}
