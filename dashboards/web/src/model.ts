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
    backlog: 0,
    heard: null,
    away: null,
    streaming: false,
  };
}
