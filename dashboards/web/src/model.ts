// What the page knows at a moment. Panels are drawn from it and keep nothing.
import type { Alerts, Answer, Definition, Ledger, Update } from './api.ts';
import type { Mark } from './axis.ts';
import type { Lang } from './strings.ts';

/** An answer, or why there is none. */
export interface Figure {
  answer?: Answer;
  warnings: string[];
  error?: string;
}

export interface Model {
  lang: Lang;
  /** The catalogue; empty before it is known. */
  definitions: Map<string, Definition>;
  /** By tile. */
  figures: Map<string, Figure>;
  trends: Map<string, Mark[]>;
  /** By KPI, broken down by channel. */
  channels: Map<string, Figure>;
  contents: Figure;
  alerts: Alerts | null;
  ledger: Ledger | null;
  update: Update | null;
  /** In epoch milliseconds; null before the first event. */
  watermark: number | null;
  /** When an answer last came, by the clock of the browser. */
  heard: number | null;
  /** In which business days are cut; empty before it is known. */
  timezone: string;
  /** How many messages wait to be counted. */
  backlog: number;
  /** Why the service does not answer, or answers that it is not ready. */
  away: { reason: string; answers: boolean } | null;
  streaming: boolean;
}

export function newModel(lang: Lang): Model {
  return {
    lang,
    definitions: new Map(),
    figures: new Map(),
    trends: new Map(),
    channels: new Map(),
    contents: { warnings: [] },
    alerts: null,
    ledger: null,
    update: null,
    watermark: null,
    timezone: '',
    backlog: 0,
    heard: null,
    away: null,
    streaming: false,
  };
}

/** keeps reports whether the catalogue has a KPI in that window and breakdown; before it is known, everything. */
export function keeps({ definitions }: Pick<Model, 'definitions'>, kpi: string, window: string, by = ''): boolean {
  if (definitions.size === 0) return true;
  const kept = definitions.get(kpi);
  return kept !== undefined && kept.windows.includes(window) && kept.by.some((set) => set.join() === by);
}
