// Fetches what the page shows into the model, and listens to the live stream.
import type { Alerts, Answer, Definition, Episode, Ledger, Past, Point, Range, Receiver, Silence, Update, User } from './api.ts';
import { currencyOf, get, instant, literal, manager, Refusal } from './api.ts';
import type { Address } from './address.ts';
import { completed, isPlain, momentOf, windowOf } from './address.ts';
import type { Axis, Mark, Series } from './axis.ts';
import { askDays, axisAround, axisOf, isDay, stepOf } from './axis.ts';
import type { Matrix, Usual } from './band.ts';
import { bandOf, bandQueries, hasBand } from './band.ts';
import { dayWindow, hasTotal, shortWindow, trendOf } from './catalogue.ts';
import { columns } from './channels.ts';
import { dayBefore, sameDay } from './format.ts';
import { running } from './funnel.ts';
import type { Figure, Model } from './model.ts';
import { keeps, keyOf, unitOf } from './model.ts';
import { Pace } from './pace.ts';
import { reasonOf } from './refusal.ts';
import type { Risk } from './risk.ts';
import { hasRisk, newRisk, riskQuery } from './risk.ts';
import { hasTile, isMixed, tiles } from './tiles.ts';
import { runningQuestions, userQuestions } from './users.ts';

export class Source {
  /** The values of the tiles follow every update. */
  private readonly quick = new Pace(1_000, () => this.attempt(() => this.fetchFigures()));
  /** The rest is more to fetch and to read, and may be a few seconds older. */
  private readonly slow = new Pace(3_000, () => this.attempt(() => this.fetchPanels()));
  /** The rows of the catalogue are many; those in sight are fetched often. */
  private readonly rows = new Pace(10_000, () => this.attempt(() => this.inSight((name) => this.fetchRow(name))));
  private readonly sparks = new Pace(30_000, () => this.attempt(() => this.inSight((name) => this.fetchSpark(name))));
  /** What is over does not change, and what was not known comes with the alerts in force. */
  private readonly past = new Pace(10_000, () => this.attempt(() => this.fetchPast()));
  /** Yesterday changes with the kept windows of the running day. */
  private readonly days = new Pace(60_000, () => this.attempt(() => this.fetchDays()));
  /** Whoever prints the page, or takes a picture of all of it, sees the rest too. */
  private readonly rest = new Pace(60_000, () => this.attempt(() => this.fetchRest()));
  /** What became of the users changes little from one minute to the next. */
  private readonly users = new Pace(60_000, () => this.attempt(() => this.fetchUsers()));
  /** Who is at risk is listed while it is in sight. */
  private readonly risk = new Pace(60_000, () => this.attempt(() => this.fetchRisk()));
  private readonly meant = new Pace(3_000, () => this.attempt(() => this.fetchFocus()));
  /** The catalogue, asked for once: a service that was away may be another. */
  private introduction: Promise<void> | undefined;
  private stream: EventSource | undefined;
  /** The last band, and of which questions it is. */
  private band: { key: string; usual: Usual[] } | undefined;

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
    for (const pace of [this.quick, this.slow, this.past, this.rows, this.sparks, this.days, this.rest, this.meant]) pace.kick();
    if (this.model.usersInSight) for (const pace of [this.users, this.risk]) pace.kick();
  }

  /** look fetches what has come into sight. */
  look(): void {
    this.rows.hurry();
    this.sparks.hurry();
    this.days.hurry();
  }

  /** lookAtUsers is look for the section on users. */
  lookAtUsers(): void {
    if (this.model.usersInSight) for (const pace of [this.users, this.risk]) pace.hurry();
  }

  /** chooseRisk lists who is at risk of those who came by a channel. */
  chooseRisk(channel: string): void {
    this.model.risk = newRisk(channel);
    this.risk.hurry();
    this.changed();
  }

  /** moreRisk adds the next ones. */
  async moreRisk(): Promise<void> {
    const asked = this.model.risk;
    if (asked.next !== null) await this.attempt(() => this.listRisk(asked, true));
  }

  /** lookAtAlerts fetches them since somebody did something about them. */
  lookAtAlerts(): void {
    this.slow.hurry();
    this.past.hurry();
  }

  /** turn fetches what the page's address names since it changed. */
  turn(): void {
    this.model.focus = null;
    this.meant.hurry();
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
      await (this.introduction ??= this.introduce());
      await job();
      this.model.away = null;
      this.model.heard = Date.now();
    } catch (error) {
      this.introduction = undefined;
      const since = this.model.away?.since ?? Date.now();
      this.model.away = { since, reason: reasonOf(error), answers: error instanceof Refusal && error.status === 503 };
    }
    this.changed();
  }

  /** introduce asks what there is to ask for. */
  private async introduce(): Promise<void> {
    const { model } = this;
    const { data } = await get<Definition[]>('kpis');
    model.definitions = new Map(data.map((definition) => [definition.name, definition]));
    // What was wrong may be right in this catalogue.
    if (model.focus?.figure.wrong || model.focus?.others.wrong) model.focus = null;
  }

  private async fetchFigures(): Promise<void> {
    const { model } = this;
    const [ledger] = await Promise.all([
      get<Ledger>('ledger'),
      ...tiles.map(async (tile) => {
        const figure = await this.fetchFigure(tile.kpi, tile.window);
        const mixed = isMixed(figure.answer?.samples[0], unitOf(model, tile.kpi));
        if (mixed) model.currencies.set(tile.kpi, await this.figureOf(tile.kpi, tile.window, 'currency'));
        else model.currencies.delete(tile.kpi);
      }),
    ]);
    const first = model.begins === null && ledger.data.begins !== null;
    model.ledger = ledger.data;
    model.watermark = instant(ledger.data.watermark);
    model.begins = instant(ledger.data.begins);
    model.backlog = ledger.data.backlog;
    model.timezone = ledger.data.timezone;
    // What is asked for by time could not be, before.
    if (first) for (const pace of [this.slow, this.sparks, this.days, this.rest, this.meant]) pace.hurry();
    if (first) this.lookAtUsers();
  }

  private async fetchPanels(): Promise<void> {
    const { model } = this;
    const [alerts, silences] = await Promise.all([
      get<Alerts>('alerts'),
      manager<Silence[]>('GET', 'silences?expired=false'),
      this.fetchTrends(),
      ...columns.map(async (column) => {
        model.channels.set(column, await this.figureOf(column, '5m', 'channel'));
      }),
      this.figureOf('top_contents', '1h', 'content_id').then((figure) => (model.contents = figure)),
    ]);
    if (firingIn(alerts.data) !== firingIn(model.alerts)) this.past.hurry();
    model.alerts = alerts.data;
    model.silences = silences.data;
    if (!Number.isNaN(silences.date)) model.ahead = silences.date - Date.now();
  }

  /** fetchPast keeps what was asked for beyond the newest part. */
  private async fetchPast(): Promise<void> {
    const { model } = this;
    const [past, receivers] = await Promise.all([
      get<Past>('alerts/history', { limit: String(part) }),
      get<{ receivers: Receiver[] }>('receivers'),
    ]);
    model.past = newer(past.data, model.past);
    model.receivers = receivers.data.receivers;
  }

  /** lookBack fetches the next part of the history. */
  async lookBack(): Promise<void> {
    const { past } = this.model;
    if (past.next === null) return;
    await this.attempt(async () => {
      const { data } = await get<Past>('alerts/history', { limit: String(part), cursor: past.next! });
      this.model.past = { alerts: [...this.model.past.alerts, ...data.alerts], next: data.next };
    });
  }

  private async inSight(job: (kpi: string) => Promise<void>): Promise<void> {
    await Promise.all([...this.model.inSight].map(job));
  }

  /** fetchRest asks for one row after the other: nobody waits for them. */
  private async fetchRest(): Promise<void> {
    const { definitions, inSight, watermark } = this.model;
    if (watermark === null) return;
    for (const kpi of [...definitions.values()].filter(hasTotal)) {
      if (inSight.has(kpi.name)) continue;
      await this.fetchRow(kpi.name);
      await this.fetchSpark(kpi.name);
      await this.fetchDay(kpi.name);
    }
    if (this.model.users.size === 0) await this.fetchUsers();
  }

  private async fetchUsers(): Promise<void> {
    const { model } = this;
    const { watermark } = model;
    if (watermark === null) return;
    await Promise.all([
      ...userQuestions(model).map(async ({ kpi, by, days }) => {
        const query = { ...askDays(watermark, days), ...(by ? { by } : {}) };
        model.users.set(kpi, await this.seriesOf(`kpis/${kpi}/range`, query));
      }),
      ...runningQuestions(model).map(async ({ kpi, by }) => {
        const { answer } = await this.figureOf(kpi, running, by);
        if (!answer) return;
        model.running.set(kpi, answer.samples.map((sample) => ({ labels: sample.labels, marks: [markOf(sample)] })));
      }),
    ]);
  }

  private async fetchRisk(): Promise<void> {
    const { model } = this;
    if (model.watermark === null || !hasRisk(model)) return;
    const [channels] = await Promise.all([
      this.figureOf('at_risk_users', 'day', 'channel'),
      this.listRisk(model.risk, false),
    ]);
    model.riskChannels = channels;
  }

  /** listRisk asks for a list anew, or for more of it, unless another one is wanted by then. */
  private async listRisk(asked: Risk, more: boolean): Promise<void> {
    const { users, next, error } = await usersOf(riskQuery(asked, more));
    if (this.model.risk !== asked) return;
    const before = more ? (asked.users ?? []) : [];
    this.model.risk = { channel: asked.channel, users: users && [...before, ...users], next, ...(error ? { error } : {}) };
  }

  private async fetchRow(name: string): Promise<void> {
    const kpi = this.model.definitions.get(name);
    for (const window of kpi ? [shortWindow(kpi), dayWindow(kpi)] : []) {
      if (window && !hasTile(name, window)) await this.fetchFigure(name, window);
    }
  }

  private async fetchSpark(name: string): Promise<void> {
    const { definitions, sparks, watermark } = this.model;
    const kpi = definitions.get(name);
    if (!kpi || watermark === null) return;
    sparks.set(name, await this.marksOf(`kpis/${name}/range`, trendOf(kpi, watermark)));
  }

  private async fetchDays(): Promise<void> {
    const names = new Set([...tiles.map(({ kpi }) => kpi), ...this.model.inSight]);
    await Promise.all([...names].map((name) => this.fetchDay(name)));
  }

  /** fetchDay asks for the running day and for yesterday until the same time. */
  private async fetchDay(name: string): Promise<void> {
    const { days, watermark } = this.model;
    if (watermark === null) return;
    const until = async (time: number) => {
      if (!this.isKnown(time - (time % stepOf('today')))) return undefined;
      const { answer, warnings } = await this.figureOf(name, 'today', '', { at: String(time) });
      return warnings.length > 0 ? undefined : answer?.samples[0]; // of a day that is not known whole
    };
    const [today, yesterday] = await Promise.all([until(watermark), until(dayBefore(watermark))]);
    // The window that ends with a day is still of that day.
    const running = today && sameDay(Date.parse(today.end) - 1, watermark);
    if (running && yesterday) days.set(name, { today, yesterday });
    else days.delete(name);
  }

  private async fetchFocus(): Promise<void> {
    const { model } = this;
    const { address } = model;
    if (address === null) return;
    const definition = model.definitions.get(address.kpi);
    if (!definition) return; // the view says so
    const whole = completed(address, definition);
    if (whole !== address) {
      model.address = whole;
      return this.fetchFocus();
    }
    const path = `kpis/${encodeURIComponent(address.kpi)}`;
    const window = windowOf(address, definition);
    const at: Record<string, string> = address.at ? { at: address.at } : {};
    const by: Record<string, string> = address.by.length ? { by: address.by.join() } : {};
    const ask = (query: Record<string, string>, last: Figure | undefined) =>
      last?.wrong ? last : figure(path, { window, ...at, ...query });
    const [one, others] = await Promise.all([
      ask(Object.keys(address.labels).length ? { ...by, ...literal(address.labels) } : {}, model.focus?.figure),
      address.by.length ? ask(by, model.focus?.others) : { warnings: [] },
    ]);
    if (isPlain(address)) model.figures.set(keyOf(address.kpi, window), one);
    // Several series have no one trend.
    const single = hasTotal(definition) || Object.keys(address.labels).length > 0;
    const [marks, band, past] = single
      ? await Promise.all([this.marksAbout(address, one, window), this.bandAbout(address, one, window), this.pastAbout(address, one, window)])
      : [[], [], []];
    if (model.address === address) model.focus = { figure: one, others, marks, band, past };
  }

  /** axisOfFocus is the span of time about what is meant; null before there is any. */
  private axisOfFocus(address: Address, { answer }: Figure, window: string): Axis | null {
    const { watermark } = this.model;
    if (watermark === null || instant(answer?.end) === null) return null;
    return axisAround(momentOf(address, answer) ?? watermark, watermark, window);
  }

  /** pastAbout are the alerts of that time. */
  private async pastAbout(address: Address, one: Figure, window: string): Promise<Episode[]> {
    const axis = this.axisOfFocus(address, one, window);
    if (axis === null || window === 'day') return [];
    const query = { from: String(Math.floor(axis.from)), to: String(Math.ceil(axis.to)), limit: '500' };
    return (await get<Past>('alerts/history', query)).data.alerts;
  }

  /** bandAbout is what is usual at that time. It is much to compute and changes slowly. */
  private async bandAbout(address: Address, one: Figure, window: string): Promise<Usual[]> {
    const axis = this.axisOfFocus(address, one, window);
    if (axis === null || !hasBand(this.model.definitions.get(address.kpi), window)) return [];
    const queries = bandQueries(address, axis);
    const currency = currencyOf(one.answer?.samples[0]);
    const key = JSON.stringify([queries.map(({ query, start }) => [query, start]), currency]);
    if (this.band?.key !== key) {
      const [low, high] = await Promise.all(queries.map(matrixOf));
      this.band = { key, usual: bandOf(low!, high!, currency) };
    }
    return this.band.usual;
  }

  private async marksAbout(address: Address, one: Figure, window: string): Promise<Mark[]> {
    const axis = this.axisOfFocus(address, one, window);
    if (axis === null) return [];
    const { from, to } = axis;
    const series = Object.keys(address.labels).length ? { by: address.by.join(), ...literal(address.labels) } : {};
    return this.marksOf(`kpis/${encodeURIComponent(address.kpi)}/range`, {
      window,
      ...series,
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
    });
  }

  /** fetchFigure asks for the figure of a KPI and a window. */
  private async fetchFigure(kpi: string, window: string): Promise<Figure> {
    const figure = await this.figureOf(kpi, window);
    this.model.figures.set(keyOf(kpi, window), figure);
    return figure;
  }

  /** figureOf asks for what is kept, and keeps a refusal beside it; only the service's silence goes up. */
  private async figureOf(kpi: string, window: string, by = '', query: Record<string, string> = {}): Promise<Figure> {
    if (!keeps(this.model, kpi, window, by)) return { warnings: [] };
    return figure(`kpis/${kpi}`, { window, ...query, ...(by ? { by } : {}) });
  }

  /** isKnown tells whether the service knows of windows that end at that time. */
  private isKnown(end: number): boolean {
    const { begins } = this.model;
    return begins !== null && end > begins;
  }

  private async marksOf(path: string, query: Record<string, string>): Promise<Mark[]> {
    return (await this.seriesOf(path, query))[0]?.marks ?? [];
  }

  private async seriesOf(path: string, query: Record<string, string>): Promise<Series[]> {
    return this.isKnown(Number(query['to'])) ? seriesOf(path, query) : [];
  }

  private async fetchTrends(): Promise<void> {
    const { watermark } = this.model;
    if (watermark === null) return;
    await Promise.all(
      tiles.map(async ({ kpi, window }) => {
        if (!keeps(this.model, kpi, window)) return;
        const { from, to } = axisOf(watermark, isDay(window));
        const currency = this.model.currencies.get(kpi)?.answer?.samples[0]?.labels['currency'];
        const query = {
          window,
          from: String(Math.floor(from)),
          to: String(Math.floor(to)),
          ...(currency ? { currency } : {}),
        };
        this.model.trends.set(kpi, await this.marksOf(`kpis/${kpi}/range`, query));
      }),
    );
  }
}

async function figure(path: string, query: Record<string, string>): Promise<Figure> {
  try {
    const { data, warnings } = await get<Answer>(path, query);
    return { answer: data, warnings };
  } catch (error) {
    if (error instanceof Refusal && error.local) return { warnings: [], error: error.message, wrong: error.status === 400 };
    throw error;
  }
}

async function usersOf(query: Record<string, string>): Promise<Omit<Risk, 'channel'>> {
  try {
    return (await get<{ users: User[]; next: string | null }>('users', query)).data;
  } catch (error) {
    if (error instanceof Refusal && error.local) return { users: null, next: null, error: error.message };
    throw error;
  }
}

async function seriesOf(path: string, query: Record<string, string>): Promise<Series[]> {
  try {
    const { data } = await get<Range>(path, query);
    return data.series.map(({ labels, points }) => ({ labels, marks: points.map(markOf) }));
  } catch (error) {
    if (error instanceof Refusal && error.local) return [];
    throw error;
  }
}

function markOf({ end, value, numerator, denominator, n, complete, currency }: Point): Mark {
  return {
    end: Date.parse(end),
    value,
    n,
    open: !complete,
    ...(numerator === null || denominator === undefined ? {} : { parts: [numerator, denominator] as const }),
    ...(currency ? { currency } : {}),
  };
}

/** firingIn tells sets of alerts that fire apart. */
const firingIn = (alerts: Alerts | null) => JSON.stringify(alerts?.alerts.map(({ group, labels, fired_at }) => [group, labels, fired_at]));

/** How many alerts of the history are fetched at once. */
const part = 50;

/** newer is the newest part of the history, with what was loaded beyond it. */
function newer(first: Past, loaded: Past): Past {
  const last = first.alerts.at(-1);
  const at = loaded.alerts.findIndex(({ id }) => id === last?.id);
  return at < 0 ? first : { alerts: [...first.alerts, ...loaded.alerts.slice(at + 1)], next: loaded.next };
}

/** matrixOf asks Prometheus' API for a range; what it cannot answer is not shown. */
async function matrixOf(query: Record<string, string>): Promise<Matrix> {
  try {
    return (await get<Matrix>('query_range', query, 'prometheus/api/v1/')).data;
  } catch (error) {
    if (error instanceof Refusal && error.status < 500) return { result: [] };
    throw error;
  }
}
