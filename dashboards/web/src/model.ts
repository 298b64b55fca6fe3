// What the page knows at a moment. Panels are drawn from it and keep nothing.
import type { Address } from './address.ts';
import { isPlain, windowOf } from './address.ts';
import type { Alerts, Answer, Definition, Episode, Ledger, Past, Receiver, Sample, Silence, Trial, Update } from './api.ts';
import type { Mark, Series } from './axis.ts';
import type { Usual } from './band.ts';
import type { Unit } from './format.ts';
import type { Risk } from './risk.ts';
import { newRisk } from './risk.ts';
import type { Lang } from './strings.ts';

/** An answer, or why there is none. */
export interface Figure {
  answer?: Answer;
  warnings: string[];
  error?: string;
  /** The question is wrong: asked again, the answer is the same. */
  wrong?: boolean;
}

/** The answers about what the page's address names. */
export interface Focus {
  figure: Figure;
  /** All series of that breakdown. */
  others: Figure;
  marks: Mark[];
  /** What is usual at that time. */
  band: Usual[];
  /** The alerts of that time. */
  past: Episode[];
}

/** A KPI today and yesterday, both until the same time of the day. */
export interface Days {
  today: Sample;
  yesterday: Sample;
}

export interface Model {
  lang: Lang;
  address: Address | null;
  focus: Focus | null;
  /** The catalogue; empty before it is known. */
  definitions: Map<string, Definition>;
  /** What was last answered for a KPI and a window, by keyOf: one value, wherever it is shown. */
  figures: Map<string, Figure>;
  trends: Map<string, Mark[]>;
  /** By KPI, where amounts of several currencies have no sum. */
  currencies: Map<string, Figure>;
  days: Map<string, Days>;
  sparks: Map<string, Mark[]>;
  /** The KPIs whose rows are in sight. */
  inSight: Set<string>;
  /** By KPI, the last days of what the section on users shows. */
  users: Map<string, Series[]>;
  /** By KPI, the last 24 hours of funnels. */
  running: Map<string, Series[]>;
  usersInSight: boolean;
  risk: Risk;
  /** How many are at risk, by the channel that they came by. */
  riskChannels: Figure;
  /** By KPI, broken down by channel. */
  channels: Map<string, Figure>;
  contents: Figure;
  alerts: Alerts | null;
  /** The newest alerts that fired, and those before that were asked for. */
  past: Past;
  /** The silences in effect and to come. */
  silences: Silence[];
  receivers: Receiver[];
  /** By receiver, what came of the last test. */
  trials: Map<string, Trial[] | 'running' | Error>;
  /** By how many milliseconds the service's clock is ahead of the browser's. */
  ahead: number;
  ledger: Ledger | null;
  update: Update | null;
  /** In epoch milliseconds; null before the first event. */
  watermark: number | null;
  /** When the first event was; null before it is known. Of windows that end by then nothing is. */
  begins: number | null;
  /** When an answer last came, by the clock of the browser. */
  heard: number | null;
  /** In which business days are cut; empty before it is known. */
  timezone: string;
  /** How many messages wait to be counted. */
  backlog: number;
  /** Why the service does not answer, or answers that it is not ready. */
  away: { reason: string; answers: boolean; since: number } | null;
  streaming: boolean;
}

export function newModel(lang: Lang): Model {
  return {
    lang,
    address: null,
    focus: null,
    definitions: new Map(),
    figures: new Map(),
    trends: new Map(),
    currencies: new Map(),
    days: new Map(),
    sparks: new Map(),
    inSight: new Set(),
    users: new Map(),
    running: new Map(),
    usersInSight: false,
    risk: newRisk(),
    riskChannels: { warnings: [] },
    channels: new Map(),
    contents: { warnings: [] },
    alerts: null,
    past: { alerts: [], next: null },
    silences: [],
    receivers: [],
    trials: new Map(),
    ahead: 0,
    ledger: null,
    update: null,
    watermark: null,
    begins: null,
    timezone: '',
    backlog: 0,
    heard: null,
    away: null,
    streaming: false,
  };
}

/** keyOf is where the model has the figure of a KPI and a window. */
export const keyOf = (kpi: string, window: string) => `${kpi} ${window}`;

/** keeps reports whether the catalogue has a KPI in that window and breakdown; before it is known, everything. */
export function keeps({ definitions }: Pick<Model, 'definitions'>, kpi: string, window: string, by = ''): boolean {
  if (definitions.size === 0) return true;
  const kept = definitions.get(kpi);
  return kept !== undefined && kept.windows.includes(window) && kept.by.some((set) => set.join() === by);
}

/** figureMeant is the figure that the page's address names; undefined before it is known. */
export function figureMeant({ address, focus, figures, definitions }: Model): Figure | undefined {
  if (address === null || !isPlain(address)) return focus?.figure;
  return figures.get(keyOf(address.kpi, windowOf(address, definitions.get(address.kpi))));
}

/** titleOf is the name that the catalogue gives a KPI; empty before it is known. */
export function titleOf({ definitions, lang }: Pick<Model, 'definitions' | 'lang'>, kpi: string): string {
  return definitions.get(kpi)?.title[lang] ?? '';
}

/** unitOf is the unit of a KPI. */
export function unitOf({ definitions }: Pick<Model, 'definitions'>, kpi: string): Unit {
  return definitions.get(kpi)?.unit ?? 'number';
}
