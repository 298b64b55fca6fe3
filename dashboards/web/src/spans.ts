// When alerts fired, as far as the page was told: those in force and those of the history.
import { addressOf } from './address.ts';
import type { Alert, Alerts, Definition, Episode, Rule } from './api.ts';
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

type Known = Pick<Alert, 'group' | 'rule' | 'labels'>;

/** rulesOf are the rules that the alert may be of: of one name those whose labels it has, the most of them. */
function rulesOf(alert: Known, alerts: Alerts | null): Rule[] {
  const named = alerts?.rules.filter((one) => one.name === alert.rule && one.group === alert.group) ?? [];
  const gives = ({ labels }: Rule) =>
    Object.entries(labels).every(([name, value]) => value.includes('{{') || (alert.labels[name] ?? '') === value);
  const size = ({ labels }: Rule) => Object.keys(labels).length;
  const fit = named.filter(gives);
  const most = Math.max(...fit.map(size));
  return fit.filter((one) => size(one) === most);
}

/** ruleOf is the alert's rule; undefined if it is gone, or others that say something else may be it. */
export function ruleOf(alert: Known, alerts: Alerts | null): Rule | undefined {
  const [first, ...others] = rulesOf(alert, alerts);
  return others.every((one) => one.expr === first?.expr && one.for === first.for) ? first : undefined;
}

/** compared is the series that the alert's rule compares: a KPI, a bound of it, or a part. */
const compared = (alert: Known, alerts: Alerts | null): string => /\bkpi_(\w+)/.exec(rulesOf(alert, alerts)[0]?.expr ?? '')?.[1] ?? '';

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

/** linkOf is the part of the page that an alert led to. */
export const linkOf = ({ annotations }: Pick<Episode, 'annotations'>) => addressOf(annotations['link']?.split('?')[1] ?? '');

/** kpiThen is the KPI that an alert was about: the rule may be another since. */
const kpiThen = (one: Episode, alerts: Alerts | null, definitions: Map<string, Definition>) =>
  linkOf(one)?.kpi ?? kpiOf(one, alerts, definitions);

/** spansOf lists when alerts about a KPI fired, the oldest first. */
export function spansOf(
  kpi: string,
  { alerts, definitions }: Pick<Model, 'alerts' | 'definitions'>,
  past: readonly Episode[],
): Span[] {
  const spans = new Map<string, Span>();
  const add = ({ group, rule, labels }: Alert | Episode, from: number | null, to: number | null) => {
    if (from !== null) spans.set(JSON.stringify([group, rule, labels, from]), { rule, labels, from, to });
  };
  for (const one of past) {
    const over = one.resolved_at !== null && kpiThen(one, alerts, definitions) === kpi; // the others are in force
    if (over) add(one, instant(one.fired_at), instant(one.resolved_at));
  }
  for (const alert of alerts?.alerts ?? []) {
    const about = alert.state === 'firing' && kpiOf(alert, alerts, definitions) === kpi;
    if (about) add(alert, instant(alert.fired_at ?? alert.active_at), null);
  }
  return [...spans.values()].sort((a, b) => a.from - b.from);
}

/** firedAbout names the alerts about a KPI that a trend shows, and the series of each. */
export function firedAbout(kpi: string, model: Model): string {
  const { watermark, lang } = model;
  const rules = new Map<string, Set<string>>();
  for (const { rule, labels, to } of spansOf(kpi, model, model.past.alerts)) {
    if ((to ?? Infinity) <= (watermark ?? 0) - quarter) continue;
    const series = rules.get(rule) ?? new Set();
    rules.set(rule, series.add(seriesOf(labels, lang)));
  }
  return [...rules]
    .map(([rule, series]) => [rule, [...series].filter(Boolean).join(', ')].filter(Boolean).join(' · '))
    .join('; ');
}
