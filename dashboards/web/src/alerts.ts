// Alerts in force, the rules behind them, and what was sent out.
import type { Silence } from './actions.ts';
import { fillActions, makeActions } from './actions.ts';
import { addressOfAlert, hrefOf, means } from './address.ts';
import type { Alert, Alerts, Delivery, Rule } from './api.ts';
import { act, currencyOfAlert, instant } from './api.ts';
import { becauseText } from './because.ts';
import { h, put, rows, say } from './dom.ts';
import { formatBound, formatInstant, formatMinor, formatMoment, formatValue } from './format.ts';
import { labelsOf } from './labels.ts';
import type { Model } from './model.ts';
import { complaint } from './refusal.ts';
import { heldText, isAcknowledged } from './silences.ts';
import { kpiOf, ruleOf, seriesOf } from './spans.ts';
import { standingOf } from './standing.ts';
import type { Lang } from './strings.ts';
import { isKey, text } from './strings.ts';
import { fillTerms, lastsText, makeTerms } from './terms.ts';

const most = 5;

/** word writes a word of the service: in its own letters if the page has no other. */
export const word = (lang: Lang, key: string) => (isKey(key) ? text(lang, key) : key.replaceAll('_', ' '));

/** isHeld reports whether nobody is told that an alert fires. */
export const isHeld = ({ silenced_by = [], inhibited_by = [], muted_by = [] }: Alert) =>
  silenced_by.length + inhibited_by.length + muted_by.length > 0;

/** worthShowing are the newest deliveries, and older ones that did not get through. */
export function worthShowing(deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.filter((one, index) => index < most || one.outcome !== 'delivered').slice(0, 2 * most);
}

/** failing are the receivers that there are and whose newest notification is not delivered, with that one. */
export function failing({ deliveries, receivers }: Pick<Alerts, 'deliveries' | 'receivers'>): Delivery[] {
  const newest = new Map<string, Delivery>();
  const tried = deliveries.filter(({ outcome, undelivered }) => outcome === 'delivered' || (undelivered && outcome !== 'queued'));
  for (const one of tried) if (!newest.has(one.receiver)) newest.set(one.receiver, one);
  return [...newest.values()].filter((one) => one.undelivered && isThere(one.receiver, receivers));
}

/** isThere tells receivers that are configured from those that are gone. */
const isThere = (receiver: string, receivers: Alerts['receivers']) => !receivers || receivers.some(({ name }) => name === receiver);

/** quietOf says what it means that no alert is shown: briefly, and in a sentence. */
export function quietOf(model: Model, now: number): [brief: string, sentence: string] {
  const { lang, watermark } = model;
  const count = model.alerts?.rules.length ?? 0;
  if (count === 0) return [text(lang, 'no_rules'), text(lang, 'no_rules_help')];
  if (watermark === null) return [text(lang, 'empty'), text(lang, 'no_data_help', { count: String(count) })];
  const sentence = text(lang, 'quiet', { count: String(count) });
  const standing = standingOf(model, now);
  if (standing === 'live' || standing === 'polling') return [text(lang, 'alerts_quiet'), sentence];
  return [text(lang, 'quiet_then', { time: formatMoment(watermark, now) }), sentence];
}

const nothing: Alerts = { alerts: [], rules: [], deliveries: [] };

/** countsOf counts alerts, of which only some may be listed, and those listed that fire and nobody is told of. */
function countsOf({ alerts, silences }: Model): Record<'firing' | 'pending' | 'held' | 'acknowledged', number> {
  const known = alerts ?? nothing;
  const fire = known.alerts.filter(({ state }) => state === 'firing');
  return {
    firing: Math.max(fire.length, known.firing ?? 0),
    pending: Math.max(known.alerts.length - fire.length, known.pending ?? 0),
    held: fire.filter(isHeld).length,
    acknowledged: fire.filter((alert) => isAcknowledged(alert, silences)).length,
  };
}

/** briefOf says in the page's header how things stand. */
export function briefOf(model: Model, now: number): string {
  const { lang } = model;
  const known = model.alerts ?? nothing;
  const { firing, pending, held, acknowledged } = countsOf(model);
  const told = [
    firing > 0 ? text(lang, 'alerts_count', { firing: String(firing) }) : '',
    acknowledged > 0 ? text(lang, 'acknowledged_count', { count: String(acknowledged) }) : '',
    held > acknowledged ? text(lang, 'held_count', { count: String(held - acknowledged) }) : '',
    pending > 0 ? text(lang, 'pending_count', { count: String(pending) }) : '',
    firing + pending === 0 ? quietOf(model, now)[0] : '',
    untoldOf(model) && firing > 0 ? text(lang, 'untold_brief') : '',
    failing(known).length > 0 ? text(lang, 'unsent') : '',
    known.reload?.error ? text(lang, 'refused_brief') : '',
  ];
  return told.filter(Boolean).join(' · ');
}

export interface AlertParts {
  count: HTMLElement;
  quiet: HTMLElement;
  untold: HTMLElement;
  failing: HTMLElement;
  list: HTMLElement;
  rules: HTMLElement;
  deliveries: HTMLElement;
  noDeliveries: HTMLElement;
}

/** drawAlerts fills the panel and the count in the page's header. */
export function drawAlerts(parts: AlertParts, model: Model, now: number, silence: Silence, acted: () => void): void {
  const { lang } = model;
  const known: Alerts = model.alerts ?? nothing;
  const { alerts, rules, deliveries } = known;
  const ordered = [...alerts].sort((a, b) => rankOf(a) - rankOf(b) || (a.active_at < b.active_at ? 1 : -1));

  const { firing, held } = countsOf(model);
  const unsent = failing(known);
  const untold = untoldOf(model);
  parts.count.parentElement!.hidden = model.alerts === null;
  parts.count.parentElement!.classList.toggle('is-bad', firing > held || unsent.length > 0 || Boolean(known.reload?.error));
  say(parts.count, briefOf(model, now));

  parts.quiet.hidden = alerts.length > 0 || model.alerts === null;
  say(parts.quiet, quietOf(model, now)[1]);
  say(parts.untold, [untold, listedText(model)].filter(Boolean).join(' '));
  parts.untold.hidden = parts.untold.textContent === '';
  parts.untold.classList.toggle('is-wrong', untold !== '' && firing > 0);
  parts.failing.hidden = unsent.length === 0;
  rows(
    parts.failing,
    unsent,
    (one) => one.receiver,
    () => h('p'),
    (row, { receiver, error: said, reasons }) => {
      const error = becauseText(said, reasons, lang, now);
      const owed = model.alerts?.receivers?.find(({ name }) => name === receiver)?.owed ?? 0;
      const waiting = owed > 0 ? ` (${text(lang, 'owed', { count: String(owed) })})` : '';
      say(row, text(lang, 'unsent_to', { receiver, error }) + waiting);
    },
  );
  const named = namedAlert(model);
  rows(parts.list, ordered, keyOf, () => makeAlert(model, silence), (row, alert) => {
    fillAlert(row, alert, model, named, now);
  });
  rows(
    parts.rules,
    rules,
    (rule) => JSON.stringify([rule.group, rule.name, rule.expr, rule.labels]),
    makeRule,
    (row, rule) => {
      fillRule(row, rule, lang, now);
    },
  );
  const sent = worthShowing(deliveries);
  rows(
    parts.deliveries,
    sent,
    deliveryKey,
    () => makeDelivery(model, acted),
    (row, one) => {
      fillDelivery(row, one, model, now);
    },
  );
  parts.noDeliveries.hidden = model.alerts === null || sent.length > 0;
}

/** untoldOf says that nobody is told of alerts, if so. */
export function untoldOf({ alerts, lang }: Pick<Model, 'alerts' | 'lang'>): string {
  const nobody = alerts?.receivers !== undefined && !alerts.receivers?.length;
  return nobody && alerts.rules.length > 0 ? text(lang, 'untold') : '';
}

/** listedText says how many alerts are shown, if not all are. */
export function listedText({ alerts, lang }: Pick<Model, 'alerts' | 'lang'>): string {
  const count = alerts?.alerts.length ?? 0;
  const of = (alerts?.firing ?? 0) + (alerts?.pending ?? 0);
  return count < of ? text(lang, 'listed', { count: String(count), of: String(of) }) : '';
}

/** refusedText says that files of rules and receivers were refused, until good ones are at work; '' if they were not. */
export function refusedText({ alerts, lang }: Pick<Model, 'alerts' | 'lang'>, now: number): string {
  const { failed_at, succeeded_at, error } = alerts?.reload ?? { failed_at: null, succeeded_at: null, error: '' };
  if (error === '') return '';
  return text(lang, 'refused', { time: formatInstant(instant(failed_at), now), since: formatInstant(instant(succeeded_at), now), error });
}

/** valueOf writes money with the code of its currency, as a symbol may be of several, and without one in minor units. */
export function valueOf(alert: Pick<Alert, 'value' | 'subject' | 'labels' | 'annotations'>, lang: Lang): string {
  const { value, subject } = alert;
  const unit = subject?.unit ?? 'number';
  if (unit !== 'money' || value === null) return formatValue(value, unit, lang);
  const currency = currencyOfAlert(alert);
  if (currency) return `${formatValue(value, unit, lang, currency)} ${currency}`;
  const amount = formatMinor(value, lang);
  return subject?.across ? text(lang, 'across', { amount }) : amount;
}

/** What fires comes first, and what nobody is told of last. */
const rankOf = (alert: Alert) => (alert.state === 'firing' ? 0 : 1) + (isHeld(alert) ? 2 : 0);
const keyOf = ({ id }: Alert) => id;

/** alertOf is the alert that a row of a list shows. */
export const alertOf = ({ alerts }: Model, row: HTMLElement) => alerts?.alerts.find((alert) => keyOf(alert) === row.dataset['key']);

/** namedAlert is the one that the page's address names; undefined once it is over. */
const namedAlert = ({ address, alerts }: Model) => (address?.alert ? alerts?.alerts.find(({ id }) => id === address.alert) : undefined);

/** overText says that the alert that the page's address names is over; '' if not, or if it may be one that is not listed. */
export const overText = (model: Model) =>
  model.address?.alert && model.alerts && !namedAlert(model) && !listedText(model) ? text(model.lang, 'alert_over') : '';

/** meantAlerts are the alert that the page's address names, or else those about the series that it names. */
export function meantAlerts(model: Model): Alert[] {
  const { address, alerts, definitions } = model;
  const named = namedAlert(model);
  if (named) return [named];
  return (alerts?.alerts ?? []).filter((alert) => {
    const kpi = kpiOf(alert, alerts, definitions);
    if (kpi === undefined || kpi !== address?.kpi) return false;
    const { labels } = addressOfAlert(kpi, alert);
    return Object.keys(labels).length === Object.keys(address.labels).length && means(address, kpi, labels);
  });
}

function makeAlert(model: Model, silence: Silence): HTMLElement {
  const row: HTMLElement = h(
    'li',
    {},
    h('span', { class: 'state' }),
    h('a', { 'data-inside': '' }),
    h('span', { class: 'num' }),
    h('span', { class: 'labels' }),
    h('span', { class: 'since' }),
    h('p', { class: 'stale' }),
    h('p'),
    makeTerms(),
    h('p', { class: 'held' }),
    makeActions(silence, () => alertOf(model, row)),
  );
  return row;
}

function fillAlert(row: HTMLElement, alert: Alert, model: Model, named: Alert | undefined, now: number): void {
  const { lang, alerts, definitions } = model;
  const [state, name, value, labels, since, stale, summary, terms, held, actions] = [...row.children] as HTMLElement[];
  put(row, 'data-state', alert.state);
  row.classList.toggle('is-held', isHeld(alert));
  fillTerms(terms!, alert, ruleOf(alert, alerts), lang);
  say(held!, heldText(alert, model.silences, lang, now));
  held!.hidden = held!.textContent === '';
  fillActions(actions!, alert, lang);
  const judged = instant(alert.stale_since);
  row.classList.toggle('is-stale', judged !== null);
  stale!.hidden = judged === null;
  say(stale!, text(lang, 'stale', { time: formatMoment(judged, now) }));
  say(state!, word(lang, alert.state));
  say(name!, alert.rule);
  const kpi = kpiOf(alert, alerts, definitions);
  put(name!, 'href', kpi ? hrefOf(addressOfAlert(kpi, alert), location.search) : null);
  row.classList.toggle('is-meant', named ? named === alert : kpi !== undefined && means(model.address, kpi, alert.labels));
  say(value!, valueOf(alert, lang));
  say(labels!, labelsOf(alert.labels, lang));
  const start = alert.state === 'firing' ? (alert.fired_at ?? alert.active_at) : alert.active_at;
  say(since!, text(lang, 'since', { time: formatInstant(instant(start), now) }));
  say(summary!, alert.annotations['summary'] ?? '');
  summary!.hidden = summary!.textContent === '';
}

const makeRule = () => h('li', {}, h('span', { class: 'state' }), h('strong'), h('code'), h('p', { class: 'note' }));

function fillRule(row: HTMLElement, rule: Rule, lang: Lang, now: number): void {
  const [state, name, expr, note] = [...row.children] as HTMLElement[];
  put(row, 'data-state', rule.state);
  say(state!, word(lang, rule.state));
  say(name!, rule.name);
  const surely = rule.confidence ? text(lang, 'surely', { share: formatBound(rule.confidence, 'percent', lang) }) : '';
  say(expr!, rule.expr + surely + lastsText(rule, lang));
  say(note!, rule.last_error ? text(lang, 'rule_error', { error: rule.last_error }) : becauseText(rule.reason, rule.reasons, lang, now));
  note!.hidden = note!.textContent === '';
  note!.classList.toggle('is-wrong', rule.last_error !== '');
}

/** makeDelivery has buttons to send what is not delivered again, or to drop it. */
function makeDelivery(model: Model, acted: () => void): HTMLElement {
  const row: HTMLElement = h(
    'li',
    {},
    h('span', { class: 'when' }),
    h('strong'),
    h('span', { class: 'outcome' }),
    h('span', { class: 'to' }),
    h('p'),
  );
  const button = (method: 'POST' | 'DELETE', does: string) => {
    const element = h('button', { type: 'button' });
    element.addEventListener('click', () => {
      const one = model.alerts?.deliveries.find((other) => deliveryKey(other) === row.dataset['key']);
      if (one) void move(element, method, `deliveries/${one.id}${does}?receiver=${encodeURIComponent(one.receiver)}`, model, acted);
    });
    return element;
  };
  row.append(h('div', { class: 'actions' }, button('POST', '/resend'), button('DELETE', ''), h('span', { role: 'status' })));
  return row;
}

const deliveryKey = ({ id, receiver, undelivered }: Delivery) => `${id}/${receiver}/${undelivered}`;

/** move has a notification be sent or dropped, and says what is wrong with that. */
async function move(button: HTMLButtonElement, method: 'POST' | 'DELETE', path: string, { lang }: Model, acted: () => void): Promise<void> {
  const status = button.parentElement!.lastElementChild!;
  button.disabled = true;
  try {
    await act(method, path);
    say(status, method === 'POST' ? text(lang, 'resent') : '');
    acted();
  } catch (error) {
    say(status, text(lang, 'not_done', { error: complaint(error, lang) }));
  } finally {
    button.disabled = false;
  }
}

function fillDelivery(row: HTMLElement, one: Delivery, { lang, alerts }: Model, now: number): void {
  const [when, name, outcome, to, error, actions] = [...row.children] as HTMLElement[];
  const [resend, drop] = [...actions!.children] as HTMLElement[];
  actions!.hidden = !one.undelivered;
  resend!.hidden = !isThere(one.receiver, alerts?.receivers);
  drop!.hidden = one.outcome !== 'failed';
  say(resend!, text(lang, 'resend'));
  say(drop!, text(lang, 'drop'));
  put(row, 'data-outcome', one.outcome);
  say(when!, formatMoment(instant(one.at), now));
  say(name!, [one.rule, seriesOf(one.labels, lang)].filter(Boolean).join(' · '));
  const tries = one.attempts > 1 ? ` · ${text(lang, 'attempts', { count: String(one.attempts) })}` : '';
  say(outcome!, (one.undelivered && one.outcome === 'failed' ? text(lang, 'undelivered') : word(lang, one.outcome)) + tries);
  say(to!, `${word(lang, one.status)} → ${one.receiver}`);
  say(error!, becauseText(one.error, one.reasons, lang, now));
  error!.hidden = one.error === '';
}
