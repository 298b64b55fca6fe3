// Alerts in force, the rules behind them, and what was sent out.
import type { Alert, Delivery, Rule } from './api.ts';
import { instant } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { formatMoment, formatValue } from './format.ts';
import type { Unit } from './format.ts';
import type { Model } from './model.ts';
import type { Lang } from './strings.ts';
import { isKey, text } from './strings.ts';

const most = 5;

const word = (lang: Lang, key: string) => (isKey(key) ? text(lang, key) : key);

/** labelsOf writes the labels that tell an alert's series. */
function labelsOf(labels: Record<string, string>): string {
  return Object.entries(labels)
    .filter(([name]) => name !== 'alertname')
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ');
}

export interface AlertParts {
  count: HTMLElement;
  quiet: HTMLElement;
  list: HTMLElement;
  rules: HTMLElement;
  deliveries: HTMLElement;
  noDeliveries: HTMLElement;
}

/** drawAlerts fills the panel and the count in the page's header. */
export function drawAlerts(parts: AlertParts, model: Model, now: number): void {
  const { lang } = model;
  const { alerts, rules, deliveries } = model.alerts ?? { alerts: [], rules: [], deliveries: [] };
  const ordered = [...alerts].sort((a, b) => rankOf(a) - rankOf(b) || (a.active_at < b.active_at ? 1 : -1));

  const firing = alerts.filter((alert) => alert.state === 'firing').length;
  parts.count.parentElement!.hidden = model.alerts === null;
  parts.count.parentElement!.classList.toggle('is-firing', firing > 0);
  say(parts.count, firing > 0 ? text(lang, 'alerts_count', { firing: String(firing) }) : text(lang, 'alerts_quiet'));

  parts.quiet.hidden = alerts.length > 0 || model.alerts === null;
  say(parts.quiet, text(lang, 'quiet', { count: String(rules.length) }));
  rows(parts.list, ordered, keyOf, makeAlert, (row, alert) => {
    fillAlert(row, alert, unitOf(alert, model), lang, now);
  });
  rows(parts.rules, rules, (rule) => `${rule.group}/${rule.name}`, makeRule, (row, rule) => fillRule(row, rule, lang));
  const sent = deliveries.slice(0, most);
  rows(parts.deliveries, sent, (one) => one.id, makeDelivery, (row, one) => fillDelivery(row, one, lang, now));
  parts.noDeliveries.hidden = sent.length > 0;
}

/** unitOf is the unit of what the alert's rule compares: a KPI, a bound of it, or a part. */
export function unitOf(alert: Pick<Alert, 'group' | 'rule'>, { alerts, definitions }: Pick<Model, 'alerts' | 'definitions'>): Unit {
  const rule = alerts?.rules.find((one) => one.group === alert.group && one.name === alert.rule);
  const series = /\bkpi_(\w+)/.exec(rule?.expr ?? '')?.[1] ?? '';
  const kpi = definitions.get(series) ?? definitions.get(series.replace(/_(low|high)$/, ''));
  return kpi?.unit ?? 'number';
}

const rankOf = (alert: Alert) => (alert.state === 'firing' ? 0 : 1);
const keyOf = (alert: Alert) => `${alert.group}/${alert.rule}/${JSON.stringify(alert.labels)}`;

const makeAlert = () =>
  h(
    'li',
    {},
    h('span', { class: 'state' }),
    h('strong'),
    h('span', { class: 'num' }),
    h('span', { class: 'labels' }),
    h('span', { class: 'since' }),
    h('p'),
  );

function fillAlert(row: HTMLElement, alert: Alert, unit: Unit, lang: Lang, now: number): void {
  const [state, name, value, labels, since, summary] = [...row.children] as HTMLElement[];
  put(row, 'data-state', alert.state);
  say(state!, word(lang, alert.state));
  say(name!, alert.rule);
  const currency = alert.annotations['currency'];
  const money = unit === 'money' && currency !== undefined; // a symbol may be of several currencies
  say(value!, formatValue(alert.value, unit, lang, currency) + (money ? ` ${currency}` : ''));
  say(labels!, labelsOf(alert.labels));
  const start = alert.state === 'firing' ? (alert.fired_at ?? alert.active_at) : alert.active_at;
  say(since!, text(lang, 'since', { time: formatMoment(instant(start), now) }));
  say(summary!, alert.annotations['summary'] ?? '');
  summary!.hidden = summary!.textContent === '';
}

const makeRule = () => h('li', {}, h('span', { class: 'state' }), h('strong'), h('code'), h('p', { class: 'note' }));

function fillRule(row: HTMLElement, rule: Rule, lang: Lang): void {
  const [state, name, expr, note] = [...row.children] as HTMLElement[];
  put(row, 'data-state', rule.state);
  say(state!, word(lang, rule.state));
  say(name!, rule.name);
  say(expr!, rule.for && rule.for !== '0s' ? `${rule.expr}  for ${rule.for}` : rule.expr);
  say(note!, rule.last_error ? text(lang, 'rule_error', { error: rule.last_error }) : '');
  note!.hidden = !rule.last_error;
}

const makeDelivery = () =>
  h('li', {}, h('span', { class: 'when' }), h('strong'), h('span', { class: 'to' }), h('span', { class: 'outcome' }));

function fillDelivery(row: HTMLElement, one: Delivery, lang: Lang, now: number): void {
  const [when, name, to, outcome] = [...row.children] as HTMLElement[];
  put(row, 'data-outcome', one.outcome);
  say(when!, formatMoment(instant(one.at), now));
  say(name!, one.rule);
  say(to!, `${word(lang, one.status)} → ${one.receiver}`);
  const tries = one.attempts > 1 ? ` · ${text(lang, 'attempts', { count: String(one.attempts) })}` : '';
  say(outcome!, word(lang, one.outcome) + tries);
  put(outcome!, 'title', one.error || null);
}
