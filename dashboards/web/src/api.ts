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
  /** "exact", or how far the value may be off: "within 1 %". */
  exactness?: string;
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

/** What the figures of an alert are of. */
export interface Subject {
  kpi: string;
  unit: Unit;
  /** The only one that an expression asks for whose results do not say it. */
  currency?: string;
  /** An expression takes amounts together whatever their currency. */
  across?: boolean;
}

export interface Alert {
  /** The same each time that it fires, and in the links of messages. */
  id: string;
  rule: string;
  group: string;
  /** firing, pending, or another word of the service. */
  state: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: number | null;
  /** Missing where that is not known, as of what is computed of several values. */
  subject?: Subject;
  active_at: string;
  fired_at?: string | null;
  /** Why nobody is told that it fires: ids of silences, fingerprints of alerts, names of time intervals. */
  silenced_by?: string[];
  inhibited_by?: string[];
  /** The names of their rules. */
  inhibited_by_rules?: string[];
  muted_by?: string[];
  /** When the series could last be judged, if it cannot be now. */
  stale_since?: string | null;
}

/** currencyOfAlert is the currency of the amount that an alert is about. */
export const currencyOfAlert = ({ annotations, labels, subject }: Pick<Alert, 'annotations' | 'labels' | 'subject'>) =>
  annotations['currency'] ?? labels['currency'] ?? subject?.currency;

export interface Rule {
  group: string;
  name: string;
  expr: string;
  for: string;
  /** The condition on which its alerts are over; empty, or not told, where that is that expr does not hold. */
  recover?: string;
  /** That of the interval whose end is compared; 0, or not told, where the value is. */
  confidence?: number;
  /** Those that it adds to the labels of a series, as its file has them: templates too. */
  labels: Record<string, string>;
  state: string;
  /** Why it is in that state. */
  reason: string;
  reasons?: Because[];
  health: string;
  last_error: string;
}

/** Why, by code and what it names. */
export interface Because {
  code: string;
  args: Record<string, string | number>;
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
  /** What error says. */
  reasons?: Because[];
  /** Whether it is owed, or was given up and can be sent again. */
  undelivered: boolean;
}

export interface Alerts {
  alerts: Alert[];
  /** How many fire and are pending, listed or not. */
  firing?: number;
  pending?: number;
  rules: Rule[];
  deliveries: Delivery[];
  /** Who is told, and how many notifications each has not taken yet. */
  receivers?: { name: string; owed: number }[] | null;
  reload?: Reload;
}

/** How the files of rules and receivers were read last. */
export interface Reload {
  /** Since when those at work are. */
  succeeded_at: string | null;
  /** When others were refused since; null if none were. */
  failed_at: string | null;
  error: string;
}

/** An Episode is one time that an alert fired. */
export interface Episode {
  id: string;
  group: string;
  rule: string;
  state: 'firing' | 'resolved';
  labels: Record<string, string>;
  fired_at: string;
  /** Null while it fires. */
  resolved_at: string | null;
  /** Whether late events have shown that it should not have fired. */
  corrected: boolean;
  /** When that was decided; null if it is not corrected, and of an older release. */
  corrected_at?: string | null;
  subject?: Subject;
  annotations: Record<string, string>;
  resolved_annotations: Record<string, string> | null;
  silenced_by: string[];
  inhibited_by: string[];
  inhibited_by_rules?: string[];
  muted_by: string[];
  told: { receiver: string; status: 'firing' | 'resolved' | 'corrected'; outcome: 'delivered' | 'failed'; at: string; error: string; reasons?: Because[] }[];
}

/** A part of the history, newest first, and where it goes on. */
export interface Past {
  alerts: Episode[];
  next: string | null;
}

/** A user of a segment. Dates are business days. */
export interface User {
  user_id?: string;
  anonymous_id?: string;
  state: string;
  /** Null for longer than active days are remembered. */
  since: string | null;
  first_seen: string;
  last_seen: string;
  days_away: number;
  /** Null while there is no rhythm to tell it by. */
  usual_gap_days: number | null;
  active_days_28: number;
  rfm?: { r: number; f: number; m: number; segment: string };
  /** Those of the event by which the user was first seen, as far as any KPI tells users apart by them. */
  channel?: string | null;
  region?: string | null;
  device?: string | null;
  acquisition_channel?: string | null;
}

/** A user, explained. */
export interface Person extends User {
  /** The days away up to which the user is active, and not churned. */
  at_risk_after_days: number;
  churned_after_days: number;
  /** Between active days. */
  gaps: number[];
  /** The anonymous ids that are the user's. */
  identities?: string[];
  /** What a conversion would be attributed to, by attribution, with fields of its own. */
  last_touch: Record<string, ({ touch: string; time: string } & Record<string, string | null>) | null>;
}

export interface Receiver {
  name: string;
  default: boolean;
  /** Whether a route leads to it. */
  routed: boolean;
  /** Who is told what it has not taken for so long; empty for nobody. */
  fallback: string;
  fallback_after: string;
  integrations: {
    name: string;
    owed: number;
    last_success: string | null;
    last_failure: string | null;
    last_error: string;
    last_reasons?: Because[];
  }[];
}

/** What came of a test of a receiver's integration. */
export interface Trial {
  integration: string;
  outcome: 'delivered' | 'failed';
  error: string;
  reasons?: Because[];
}

/** A matcher and a silence, as Alertmanager has them. */
export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual?: boolean;
}

export interface Silence {
  id: string;
  status: { state: 'active' | 'pending' | 'expired' };
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
  annotations?: Record<string, string>;
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
export async function get<T>(path: string, query: Record<string, string> = {}, root = 'api/v1/'): Promise<Reply<T>> {
  const address = Object.keys(query).length ? `${path}?${new URLSearchParams(query)}` : path;
  return unwrap(await fetch(root + address, { cache: 'no-store', signal: AbortSignal.timeout(10_000) }));
}

/** act asks the API to do something, which may take as long as others take to answer. */
export async function act<T>(method: 'POST' | 'DELETE', path: string): Promise<Reply<T>> {
  return unwrap(await fetch(`api/v1/${path}`, { method, signal: AbortSignal.timeout(60_000) }));
}

async function unwrap<T>(response: Response): Promise<Reply<T>> {
  const body: unknown = await response.json().catch(() => null);
  if (isEnvelope(body) && body.status === 'success') {
    return { data: body.data as T, warnings: body.warnings ?? [] };
  }
  if (isEnvelope(body)) {
    throw new Refusal(response.status, body.errorType ?? '', body.error ?? response.statusText);
  }
  throw new Refusal(response.status, '', `HTTP ${response.status}`);
}

/** manager asks Alertmanager's API, which has no envelope; with what time it is there, in epoch milliseconds. */
export async function manager<T>(method: string, path: string, body?: unknown): Promise<{ data: T; date: number }> {
  const response = await fetch(`alertmanager/api/v2/${path}`, {
    method,
    cache: 'no-store',
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return { data: answer as T, date: Date.parse(response.headers.get('date') ?? '') };
  throw new Refusal(response.status, '', complaintOf(answer) ?? `HTTP ${response.status}`);
}

/** complaintOf is what an answer of Alertmanager's API, or of what stands before it, says is wrong. */
function complaintOf(answer: unknown): string | undefined {
  if (typeof answer === 'string') return answer;
  const { message, error } = (answer ?? {}) as { message?: string; error?: string };
  return message ?? error;
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
