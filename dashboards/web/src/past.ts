// Which alerts fired, and who was told.
import type { Episode } from './api.ts';
import { instant } from './api.ts';
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import { valueOf } from './alerts.ts';
import { becauseText } from './because.ts';
import { h, put, rows, say } from './dom.ts';
import { formatAge, formatInstant, formatMoment } from './format.ts';
import type { Model } from './model.ts';
import { inhibitedText } from './silences.ts';
import { linkOf, seriesOf } from './spans.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** toldText says who was told that an alert fired, and then that it should not have, or why nobody was. */
export function toldText(one: Episode, lang: Lang, now: number): string {
  const { told, silenced_by, inhibited_by, muted_by } = one;
  const of = (status: string, outcome: string) => told.filter((one) => one.status === status && one.outcome === outcome);
  const names = (list: Episode['told']) => list.map(({ receiver }) => receiver).join(', ');
  const [taken, missed] = [of('firing', 'delivered'), of('firing', 'failed')];
  const [corrected, uncorrected] = [of('corrected', 'delivered'), of('corrected', 'failed')];
  const held =
    silenced_by.length > 0
      ? text(lang, 'silenced')
      : inhibited_by.length > 0
        ? inhibitedText(one, lang)
        : muted_by.length > 0
          ? text(lang, 'muted', { names: muted_by.join(', ') })
          : '';
  const words = [
    taken.length > 0 ? text(lang, 'told', { receivers: names(taken) }) : '',
    missed.length > 0 ? text(lang, 'not_told', { receivers: names(missed) }) : '',
    corrected.length > 0 ? text(lang, 'told_corrected', { receivers: names(corrected), time: formatMoment(instant(corrected[0]!.at), now) }) : '',
    uncorrected.length > 0 ? text(lang, 'not_told_corrected', { receivers: names(uncorrected) }) : '',
    held,
  ];
  return words.filter(Boolean).join(' · ') || text(lang, 'told_nobody');
}

/** lastedText says for how long it fired, or that it does. */
export function lastedText({ fired_at, resolved_at }: Episode, lang: Lang): string {
  const [from, to] = [instant(fired_at), instant(resolved_at)];
  return from === null || to === null ? text(lang, 'firing') : formatAge(to - from, lang);
}

/** valueThen is the value by which it fired, or by which that was decided which other annotations tell. */
function valueThen(one: Episode, model: Model, annotations = one.annotations): string {
  const said = annotations['value'];
  const value = said === undefined ? null : Number(said);
  return valueOf({ ...one, value: Number.isFinite(value) ? value : null, annotations }, model.lang);
}

/** overturnedAt is the alert about the series and time of an address that should not have fired. */
export function overturnedAt(address: Address, past: readonly Episode[]): Episode | undefined {
  const at = instant(address.at);
  if (at === null) return undefined;
  const labels = Object.entries(address.labels);
  return past.find((one) => {
    const link = linkOf(one);
    if (!one.corrected || link?.kpi !== address.kpi || link.window !== address.window) return false;
    const same = Object.keys(link.labels).length === labels.length && labels.every(([field, value]) => link.labels[field] === value);
    return same && at >= instant(one.fired_at)! && at <= (instant(one.resolved_at) ?? at);
  });
}

/** overturnedText says that what the page's address is about is no longer what people were told; '' if it is. */
export function overturnedText(model: Model, now: number): string {
  const { address, focus, lang } = model;
  const one = address && overturnedAt(address, focus?.past ?? []);
  if (!one) return '';
  return text(lang, 'overturned', {
    rule: one.rule,
    time: formatInstant(instant(one.fired_at), now),
    then: valueThen(one, model),
    value: valueThen(one, model, one.resolved_annotations ?? {}),
    corrected: formatInstant(instant(one.corrected_at ?? one.resolved_at), now),
  });
}

/** drawPast lists what is loaded, and offers more if there is. */
export function drawPast(list: HTMLElement, none: HTMLElement, more: HTMLElement, model: Model, now: number): void {
  const { lang, past } = model;
  const make = () =>
    h('li', {}, h('span', { class: 'when' }), h('a', { 'data-inside': '' }), h('span', { class: 'num' }), h('span', { class: 'to' }));
  rows(list, past.alerts, ({ id }) => id, make, (row, one) => {
    const [when, name, value, told] = [...row.children] as HTMLElement[];
    put(row, 'data-state', one.state);
    say(when!, formatMoment(instant(one.fired_at), now));
    say(name!, [one.rule, seriesOf(one.labels, lang)].filter(Boolean).join(' · '));
    const then = linkOf(one);
    put(name!, 'href', then && hrefOf(then, location.search));
    say(value!, valueThen(one, model));
    say(told!, [lastedText(one, lang), one.corrected ? text(lang, 'corrected') : '', toldText(one, lang, now)].filter(Boolean).join(' · '));
    put(told!, 'title', one.told.flatMap(({ receiver, error, reasons }) => (error ? [`${receiver}: ${becauseText(error, reasons, lang, now)}`] : [])).join('\n') || null);
  });
  none.hidden = past.alerts.length > 0;
  more.hidden = past.next === null;
}
