// When alerts fired, as far as the page was told: those in force and those of the last deliveries.
import type { Alert, Alerts, Definition, Delivery } from './api.ts';
import { instant } from './api.ts';
import { quarter } from './axis.ts';
import type { Model } from './model.ts';
import type { Lang } from './strings.ts';
import { labelName } from './strings.ts';

export interface Span {
  rule: string;
  labels: Record<string, string>;
  from: number;
  /** Null while the alert fires. */
  to: number | null;
}

type Known = Pick<Alert, 'group' | 'rule'> | Pick<Delivery, 'rule'>;

/** compared is the series that the alert's rule compares: a KPI, a bound of it, or a part. */
export function compared(alert: Known, alerts: Alerts | null): string {
  const group = 'group' in alert ? alert.group : undefined;
  const rule = alerts?.rules.find((one) => one.name === alert.rule && (group === undefined || one.group === group));
  return /\bkpi_(\w+)/.exec(rule?.expr ?? '')?.[1] ?? '';
}

/** kpiOf is the KPI that the alert is about. */
export function kpiOf(alert: Known, alerts: Alerts | null, definitions: Map<string, Definition>): string | undefined {
  const series = compared(alert, alerts);
  return [series, series.replace(/_(low|high|numerator|denominator)$/, '')].find((name) => definitions.has(name));
}

/** seriesOf writes the values of the fields that a rule breaks down by; a total has none. */
export function seriesOf(labels: Record<string, string>, lang: Lang): string {
  const fields = (labels['by'] ?? '').split(',');
  return fields.flatMap((field) => (labels[field] ? [labelName(labels[field], lang)] : [])).join(' · ');
}

/** spansOf lists when alerts about a KPI fired, the oldest first. */
export function spansOf(kpi: string, alerts: Alerts | null, definitions: Map<string, Definition>): Span[] {
  const spans = new Map<string, Span>();
  const add = (alert: Alert | Delivery, from: number | null, to: number | null) => {
    if (from === null || kpiOf(alert, alerts, definitions) !== kpi) return;
    // Each receiver has its own delivery of one alert.
    const { rule, labels } = alert;
    spans.set(`${rule} ${JSON.stringify(labels)} ${from}`, { rule, labels, from, to });
  };
  for (const one of alerts?.deliveries ?? []) {
    if (one.status === 'resolved') add(one, instant(one.starts_at), instant(one.ends_at));
  }
  for (const alert of alerts?.alerts ?? []) {
    if (alert.state === 'firing') add(alert, instant(alert.fired_at ?? alert.active_at), null);
  }
  return [...spans.values()].sort((a, b) => a.from - b.from);
}

/** firedAbout names the alerts about a KPI that a trend shows, and the series of each. */
export function firedAbout(kpi: string, { alerts, definitions, watermark, lang }: Model): string {
  const rules = new Map<string, Set<string>>();
  for (const { rule, labels, to } of spansOf(kpi, alerts, definitions)) {
    if ((to ?? Infinity) <= (watermark ?? 0) - quarter) continue;
    const series = rules.get(rule) ?? new Set();
    rules.set(rule, series.add(seriesOf(labels, lang)));
  }
  return [...rules]
    .map(([rule, series]) => [rule, [...series].filter(Boolean).join(', ')].filter(Boolean).join(' · '))
    .join('; ');
}
