// The service's JSON, as far as the page reads it.
import type { Unit } from './format.ts';
import type { Lang } from './strings.ts';

export interface Definition {
  name: string;
  title: Record<Lang, string>;
  description: Record<Lang, string>;
  /** The heading under which the catalogue has it; empty for one without. */
  group: Record<Lang, string>;
  /** Where it stands in the catalogue. */
  place: number;
  unit: Unit;
  definition: string;
  by: string[][];
  windows: string[];
  top: number;
  ratio: boolean;
  /** Of facts: their operator. */
  from?: string;
  /** The fields that every breakdown tells apart. */
  split?: string[];
  /** What each of these can be, in the order of the operator. */
  texts?: Record<string, string[]>;
  /** For how many days a day may change after it is over. */
  horizon?: number;
  /** From which levels on the value is good or bad; higher is better unless good lies below bad. */
  targets?: { good?: number; bad?: number };
}

export interface Sample {
  labels: Record<string, string>;
  value: number | null;
  /** Null for money in several currencies. */
  numerator: number | null;
  denominator?: number;
  n: number;
  low?: number;
  high?: number;
  end: string;
  as_of: string;
  watermark: string | null;
  complete: boolean;
  revision: number;
  currency?: string;
}

/** currencyOf is the currency of an amount: by=currency has it as a label. */
export const currencyOf = (sample: Sample | undefined) => sample?.currency ?? sample?.labels['currency'];

export interface Answer {
  kpi: string;
  definition: string;
  window: string;
  start: string;
  end: string;
  as_of: string | null;
  watermark: string | null;
  complete: boolean;
  /** Of a business day, how much of what is expected of it is in; null while that is not known. */
  maturity?: number | null;
  samples: Sample[];
}

/** isOver tells a day that is over from the running one: of what is final late the newest day that has it is answered. */
export const isOver = ({ window, end, watermark }: Answer) =>
  window === 'day' && Date.parse(end) <= (instant(watermark) ?? -Infinity);

export interface Point {
  end: string;
  value: number | null;
  numerator: number | null;
  denominator?: number;
  n: number;
  complete: boolean;
  currency?: string;
}

export interface Range {
  series: { labels: Record<string, string>; points: Point[] }[];
}

export interface Alert {
  rule: string;
  group: string;
  state: 'pending' | 'firing';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: number | null;
  active_at: string;
  fired_at?: string | null;
  /** When the series could last be judged, if it cannot be now. */
  stale_since?: string | null;
}

export interface Rule {
  group: string;
  name: string;
  expr: string;
  for: string;
  state: string;
  health: string;
  last_error: string;
}

export interface Delivery {
  id: string;
  receiver: string;
  rule: string;
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  starts_at: string | null;
  ends_at: string | null;
  /** When it was last tried. */
  at: string;
  attempts: number;
  outcome: 'queued' | 'delivered' | 'retrying' | 'failed';
  error: string;
}

export interface Alerts {
  alerts: Alert[];
  /** How many fire, listed or not. */
  firing?: number;
  rules: Rule[];
  deliveries: Delivery[];
  /** Who is told, and how many notifications each has not taken yet. */
  receivers?: { name: string; owed: number }[] | null;
}

export const verdicts = ['counted', 'duplicate', 'late', 'quarantined', 'future', 'filtered'] as const;
export type Verdict = (typeof verdicts)[number];
export type Total = Record<Verdict | 'received', number>;

export interface Ledger {
  total: Total;
  quarantined: Record<string, number>;
  watermark: string | null;
  /** When the first event was. */
  begins: string | null;
  timezone: string;
  backlog: number;
}

/** What the live stream tells about once a second. */
export interface Update {
  watermark: string | null;
  position: number;
  backlog: number;
  ledger: Total;
  alerts: { firing: number; pending: number };
}

/** A Refusal is an answer of the service that is no success. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }

  /** One figure cannot be had; the service itself is well. */
  get local(): boolean {
    return this.status === 400 || this.status === 404;
  }
}

export interface Reply<T> {
  data: T;
  warnings: string[];
}

/** literal writes values of fields so that each is read as that one: not as several, nor as an expression. */
export function literal(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([field, value]) => [field, value.replace(/[\\,~]/g, '\\$&')]));
}

/** get fetches from the API and takes its envelope off. */
export async function get<T>(path: string, query: Record<string, string> = {}): Promise<Reply<T>> {
  const address = Object.keys(query).length ? `${path}?${new URLSearchParams(query)}` : path;
  const response = await fetch(`api/v1/${address}`, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  const body: unknown = await response.json().catch(() => null);
  if (isEnvelope(body) && body.status === 'success') {
    return { data: body.data as T, warnings: body.warnings ?? [] };
  }
  if (isEnvelope(body)) {
    throw new Refusal(response.status, body.errorType ?? '', body.error ?? response.statusText);
  }
  throw new Refusal(response.status, '', `HTTP ${response.status}`);
}

interface Envelope {
  status: 'success' | 'error';
  data?: unknown;
  warnings?: string[] | null;
  errorType?: string;
  error?: string;
}

function isEnvelope(body: unknown): body is Envelope {
  return typeof body === 'object' && body !== null && 'status' in body;
}

/** instant reads a time of the API. */
export function instant(time: string | null | undefined): number | null {
  if (!time) return null;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : ms;
}
