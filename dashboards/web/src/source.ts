// Fetches what the page shows into the model, and listens to the live stream.
import type { Alerts, Answer, Definition, Ledger, Range, Update } from './api.ts';
import { get, instant, Refusal } from './api.ts';
import type { Mark } from './axis.ts';
import { axisOf } from './axis.ts';
import { columns } from './channels.ts';
import type { Figure, Model } from './model.ts';
import { keeps } from './model.ts';
import { Pace } from './pace.ts';
import { tiles } from './tiles.ts';

export class Source {
  /** The values of the tiles follow every update. */
  private readonly quick = new Pace(1_000, () => this.attempt(() => this.fetchFigures()));
  /** The rest is more to fetch and to read, and may be a few seconds older. */
  private readonly slow = new Pace(3_000, () => this.attempt(() => this.fetchPanels()));
  /** Set once the catalogue of this service is known: one that was away may be another. */
  private introduced = false;
  private stream: EventSource | undefined;

  constructor(
    private readonly model: Model,
    private readonly changed: () => void,
  ) {}

  start(): void {
    this.listen();
    this.kick();
    // Without the stream, and to notice that the service is away or back.
    setInterval(() => this.kick(), 5_000);
    document.addEventListener('visibilitychange', () => this.kick());
  }

  private kick(): void {
    if (document.hidden) return;
    if (this.stream?.readyState === EventSource.CLOSED) this.listen();
    this.quick.kick();
    this.slow.kick();
  }

  private listen(): void {
    const stream = new EventSource('api/v1/live');
    this.stream = stream;
    stream.onopen = () => this.setStreaming(true);
    stream.onerror = () => this.setStreaming(false);
    stream.addEventListener('update', (event: MessageEvent<string>) => {
      const update = JSON.parse(event.data) as Update;
      this.model.update = update;
      this.model.watermark = instant(update.watermark) ?? this.model.watermark;
      this.model.backlog = update.backlog;
      this.model.heard = Date.now();
      this.changed();
      this.kick();
    });
  }

  private setStreaming(streaming: boolean): void {
    this.model.streaming = streaming;
    this.changed();
  }

  /** attempt notes whether the service answers. */
  private async attempt(job: () => Promise<void>): Promise<void> {
    try {
      await this.introduce();
      await job();
      this.model.away = null;
      this.model.heard = Date.now();
    } catch (error) {
      this.introduced = false;
      this.model.away = { reason: reasonOf(error), answers: error instanceof Refusal && error.status === 503 };
    }
    this.changed();
  }

  /** introduce asks what there is to ask for. */
  private async introduce(): Promise<void> {
    if (this.introduced) return;
    const { data } = await get<Definition[]>('kpis');
    this.model.definitions = new Map(data.map((definition) => [definition.name, definition]));
    this.introduced = true;
  }

  private async fetchFigures(): Promise<void> {
    const { model } = this;
    const [ledger] = await Promise.all([
      get<Ledger>('ledger'),
      ...tiles.map(async (tile) => {
        model.figures.set(tile.kpi, await this.figureOf(tile.kpi, tile.window));
      }),
    ]);
    model.ledger = ledger.data;
    model.watermark = instant(ledger.data.watermark);
    model.backlog = ledger.data.backlog;
    model.timezone = ledger.data.timezone;
  }

  private async fetchPanels(): Promise<void> {
    const { model } = this;
    const [alerts] = await Promise.all([
      get<Alerts>('alerts'),
      this.fetchTrends(),
      ...columns.map(async (column) => {
        model.channels.set(column.kpi, await this.figureOf(column.kpi, '5m', 'channel'));
      }),
      this.figureOf('top_contents', '1h', 'content_id').then((figure) => (model.contents = figure)),
    ]);
    model.alerts = alerts.data;
  }

  /** figureOf asks for what is kept, and keeps a refusal beside it; only the service's silence goes up. */
  private async figureOf(kpi: string, window: string, by = ''): Promise<Figure> {
    if (!keeps(this.model, kpi, window, by)) return { warnings: [] };
    try {
      const { data, warnings } = await get<Answer>(`kpis/${kpi}`, by ? { window, by } : { window });
      return { answer: data, warnings };
    } catch (error) {
      if (error instanceof Refusal && error.local) return { warnings: [], error: error.message };
      throw error;
    }
  }

  private async fetchTrends(): Promise<void> {
    const { watermark } = this.model;
    if (watermark === null) return;
    await Promise.all(
      tiles.map(async ({ kpi, trend }) => {
        const { from, to } = axisOf(watermark, trend === 'day');
        const query = { window: trend, from: String(Math.floor(from)), to: String(Math.floor(to)) };
        this.model.trends.set(kpi, keeps(this.model, kpi, trend) ? await marksOf(`kpis/${kpi}/range`, query) : []);
      }),
    );
  }
}

async function marksOf(path: string, query: Record<string, string>): Promise<Mark[]> {
  try {
    const { data } = await get<Range>(path, query);
    const points = data.series[0]?.points ?? [];
    return points.map(({ end, value, n }) => ({ end: Date.parse(end), value, n }));
  } catch (error) {
    if (error instanceof Refusal && error.local) return [];
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'no_connection';
}
