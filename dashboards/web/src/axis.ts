// What a chart shows: which span of time, and which points of it.

/** The length of a trend, and of one by day: thirty days, of which today has begun. */
export const quarter = 15 * 60_000;
const day = 86_400_000;
const days = 29 * day;

/** How many days are asked for of what is kept by days alone: some are known only when thirty more are over. */
export const longDays = 36;

/** A value at the end of its window; null where there is none. */
export interface Mark {
  end: number;
  value: number | null;
  /** What the value rests on, shown beside it. */
  n?: number;
  /** Numerator and denominator of a ratio. */
  parts?: readonly [number, number];
  currency?: string;
  /** Whether the window is not over yet. */
  open?: boolean;
}

/** The marks of one series of a breakdown. */
export interface Series {
  labels: Record<string, string>;
  marks: Mark[];
}

export interface Axis {
  from: number;
  to: number;
}

/**
 * axisOf is the span of a trend. It ends at the watermark and not now: a replay
 * of 2017 shows 2017, and a stalled input stands still instead of running empty.
 */
export function axisOf(watermark: number, byDay = false, span = byDay ? days : quarter): Axis {
  // Today ends after the watermark, within a day that may have 25 hours.
  return { from: watermark - span, to: byDay ? watermark + 1.1 * day : watermark };
}

/** askDays is the query for the last so many days, with the running one. */
export function askDays(watermark: number, count: number): Record<string, string> {
  const { from, to } = axisOf(watermark, true, (count - 1) * day);
  return { window: 'day', from: String(from), to: String(Math.floor(to)) };
}

/** axisAround is the span about a moment, with more of what led to it than of what came of it. */
export function axisAround(at: number, watermark: number, window: string): Axis {
  if (window === 'day') return axisOf(Math.min(watermark, at + 7 * day), true);
  const span = spanOf(window);
  return axisOf(Math.min(watermark, at + span / 3), false, span);
}

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: day };

/** lengthOf is the length of a window in milliseconds; undefined of days. */
export function lengthOf(window: string): number | undefined {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(window) ?? [];
  return amount && unit ? Number(amount) * units[unit]! : undefined;
}

/** isDay tells the windows that the calendar cuts: whole days, and the one that runs. */
export const isDay = (window: string) => window === 'day' || window === 'today';

/** stepOf is the distance between the kept windows of a length, in milliseconds. */
export function stepOf(window: string): number {
  const steps = [3_600, 600, 300, 60, 30, 10, 5, 1].map((seconds) => seconds * 1_000);
  return steps.find((step) => step <= (lengthOf(window) ?? day) / 60) ?? 1_000;
}

/** spanOf is how much time a chart of that window shows: six times its length, of the running day that and the one before. */
export function spanOf(window: string): number {
  if (window === 'today') return 2 * day;
  return Math.max(quarter, 6 * (lengthOf(window) ?? day));
}

/** coarseStep is a distance between points at which a span has about that many. */
export function coarseStep(window: string, span: number, points: number): number {
  const own = stepOf(window);
  return own * Math.max(1, Math.ceil(span / points / own));
}

/**
 * marksIn takes what lies within the axis, in order of time, one mark an instant
 * (the last one given wins). A point after the axis is of a window that is still
 * open and is left out.
 */
export function marksIn(marks: readonly Mark[], axis: Axis): Mark[] {
  const byEnd = new Map<number, Mark>();
  for (const mark of marks) {
    if (mark.end >= axis.from && mark.end <= axis.to) byEnd.set(mark.end, mark);
  }
  return [...byEnd.values()].sort((a, b) => a.end - b.end);
}

/** inCurrency leaves amounts of other currencies out: they have no place on one axis. */
export function inCurrency(marks: readonly Mark[], currency: string | undefined): Mark[] {
  const other = (mark: Mark) => currency !== undefined && mark.currency !== undefined && mark.currency !== currency;
  return marks.map((mark) => (other(mark) ? { ...mark, value: null } : mark));
}

/**
 * niceRange gives the values room to breathe. It spans at least 2 % of them, so
 * that a quiet line looks quiet, and no less than is worth an axis.
 */
export function niceRange(low: number, high: number, least: number): [number, number] {
  if (low === 0 && high === 0) return [0, least];
  const apart = high - low;
  const enough = Math.max(Math.max(Math.abs(low), Math.abs(high)) * 0.02, 2 * least);
  const room = Math.max(apart * 0.15, (enough - apart) / 2);
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}
