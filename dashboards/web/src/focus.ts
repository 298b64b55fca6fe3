// The KPI that the page's address names: at that time, in that breakdown.
import type { Silence } from './actions.ts';
import { fillActions, makeActions } from './actions.ts';
import type { Address } from './address.ts';
import { hrefOf, momentOf, windowOf } from './address.ts';
import { alertOf, meantAlerts, overText, valueOf, word } from './alerts.ts';
import type { Alert, Answer, Definition, Sample } from './api.ts';
import { currencyOf, instant } from './api.ts';
import { axisAround, inCurrency } from './axis.ts';
import { hasTotal } from './catalogue.ts';
import { Chart } from './chart.ts';
import { h, put, rows, say } from './dom.ts';
import { formatClock, formatDate, formatInstant, formatMoment, formatValue, formatWindow, sameDay, zoneOffset } from './format.ts';
import { matureText, openText } from './horizon.ts';
import type { Model } from './model.ts';
import { figureMeant, keeps, titleOf, unitOf } from './model.ts';
import { overturnedText } from './past.ts';
import { heldText } from './silences.ts';
import { ruleOf, spansOf } from './spans.ts';
import type { Lang } from './strings.ts';
import { fieldName, labelName, text } from './strings.ts';
import { describeTargets, levelOf, wordOf } from './targets.ts';
import { fillTerms, makeTerms } from './terms.ts';
import { describe, isMixed, noteOf } from './tiles.ts';

/** How many series are listed beside the one that is meant. */
const most = 20;

/** seriesIn picks the sample of the series that is meant. */
export function seriesIn(samples: readonly Sample[], labels: Record<string, string>): Sample | undefined {
  return samples.find((sample) => Object.entries(labels).every(([field, value]) => sample.labels[field] === value));
}

/** isAhead tells a window that begins after the newest event from one in which nothing happened. */
export function isAhead({ start, as_of, watermark, samples }: Answer): boolean {
  // Time may go on without events.
  const reach = Math.max(instant(as_of) ?? Infinity, instant(watermark) ?? Infinity);
  return reach <= Date.parse(start) && samples.every(({ n }) => n === 0);
}

/** aheadText says so. Who asks for today means the day, of which other windows are the end. */
export function aheadText({ start, as_of }: Answer, address: Address, model: Model, now: number): string {
  const { lang, definitions } = model;
  const [first, last] = [instant(start)!, instant(as_of)!];
  const today = /^\d{4}-\d\d-\d\d$/.test(address.at ?? '') && sameDay(first, last);
  const other = address.window !== 'day' && keeps({ definitions }, address.kpi, 'day');
  return text(lang, today && other ? 'ahead_of_day' : 'ahead', {
    time: formatMoment(last, now),
    day: formatWindow('day', lang),
  });
}

/** unkeptText says that there is no such breakdown, and that what is shown is the total; undefined if there is one. */
export function unkeptText({ by, labels }: Address, definition: Definition | undefined, lang: Lang): string | undefined {
  const split = definition?.split ?? [];
  const own = (set: readonly string[]) => set.filter((field) => !split.includes(field)).sort().join();
  if (!definition || definition.by.some((set) => own(set) === own(by))) return undefined;
  const total = hasTotal(definition) && Object.keys(labels).length === 0;
  return text(lang, total ? 'no_breakdown_total' : 'no_breakdown', { by: setName(by, lang) });
}

/** setName writes the fields of a breakdown. */
const setName = (set: readonly string[], lang: Lang) => set.map((field) => fieldName(field, lang)).join(' × ');

/** othersOf lists the series of a breakdown, by step or largest first, and the one that is meant wherever it stands. */
export function othersOf(
  samples: readonly Sample[],
  labels: Record<string, string>,
  steps: readonly string[] = [],
): Sample[] {
  const meant = Object.keys(labels).length > 0 ? seriesIn(samples, labels) : undefined;
  const place = (sample: Sample) => steps.indexOf(sample.labels['step'] ?? '');
  const ordered = [...samples].sort((a, b) => place(a) - place(b) || (b.value ?? -Infinity) - (a.value ?? -Infinity));
  const shown = ordered.slice(0, most);
  return meant && !shown.includes(meant) ? [...shown.slice(0, most - 1), meant] : shown;
}

/** endOfDay writes the time of day at which a part of a day ends: that of a whole day is 24:00:00. */
const endOfDay = (end: number) => (sameDay(end, end - 1) ? formatClock(end) : '24:00:00');

/** thenText says which is which where a value of the past stands above an alert. */
export const thenText = (window: string, end: number, lang: Lang, now: number) =>
  text(lang, 'then_and_now', { time: window === 'day' ? formatDate(end - 1) : formatInstant(end, now) });

/** stateText says how an alert stands, and how much it matters. */
export function stateText(alert: Alert, lang: Lang, now: number): string {
  const severity = alert.labels['severity'];
  const since = text(lang, 'since', { time: formatInstant(instant(alert.fired_at ?? alert.active_at), now) });
  return [word(lang, alert.state), alert.rule, severity && `severity ${severity}`, since].filter(Boolean).join(' · ');
}

/** computedText says what the expression of an alert comes to, which is not the KPI's value; '' of others, and where it is not known. */
export const computedText = (alert: Alert, lang: Lang) =>
  alert.annotations['expr'] === undefined || alert.value === null ? '' : text(lang, 'computed', { value: valueOf(alert, lang) });

/** whenText names the window, with the moment to which it goes; of a day that is meant its date. */
export function whenText(window: string, end: number | null, lang: Lang, now: number): string {
  if (end === null) return formatWindow(window, lang);
  if (window === 'day') return formatDate(end - 1);
  if (window === 'today') return `${formatWindow(window, lang)} · ${text(lang, 'day_to', { date: formatDate(end - 1), time: `${endOfDay(end)} ${zoneOffset(end - 1)}` })}`;
  return `${formatWindow(window, lang)} · ${text(lang, 'window_to', { time: formatInstant(end, now) })}`;
}

export class FocusView {
  readonly element = h('section', {
    id: 'focus',
    class: 'card focus',
    tabindex: '-1',
    'aria-labelledby': 'focus-title',
  });
  private readonly title = h('h2', { id: 'focus-title' });
  private readonly when = h('span', { class: 'window' });
  private readonly close = h('a', { class: 'close', 'data-inside': '' });
  private readonly value = h('span', { class: 'value' });
  private readonly basis = h('p', { class: 'basis' });
  private readonly about = h('p', { class: 'about' });
  private readonly note = h('p', { class: 'note is-wrong' });
  private readonly overturned = h('p', { class: 'overturned' });
  private readonly windows = h('nav', { class: 'chips' });
  private readonly sets = h('nav', { class: 'chips' });
  private readonly others = h('ul', { class: 'others' });
  private readonly chart = new Chart(180);
  private readonly then = h('p', { class: 'then' });
  private readonly over = h('p');
  private readonly alerts = h('ul');
  private readonly meant = h('div', { class: 'meant' }, this.then, this.over, this.alerts);
  private readonly usual = h('p', { class: 'usual' });
  private turning = false;

  constructor(private readonly silence: Silence) {
    this.element.append(
      h('header', {}, this.title, this.when, this.close),
      h(
        'div',
        { class: 'told' },
        h('p', { class: 'reading' }, this.value),
        this.basis,
        this.overturned,
        this.meant,
        this.about,
        this.note,
        this.windows,
        this.sets,
      ),
      h('div', { class: 'drawn' }, this.chart.element, this.usual),
      this.others,
    );
  }

  /** turnTo has it looked at as soon as it is seen. */
  turnTo(): void {
    this.turning = true;
  }

  private turn(): void {
    if (!this.turning || !this.element.checkVisibility({ visibilityProperty: true })) return;
    this.turning = false;
    this.element.scrollIntoView({ block: 'start' });
    this.element.focus({ preventScroll: true });
  }

  draw(model: Model, now: number): void {
    const { address, lang } = model;
    this.element.hidden = address === null;
    if (address === null) {
      this.chart.clear();
      return;
    }
    const definition = model.definitions.get(address.kpi);
    const unit = unitOf(model, address.kpi);
    const figure = figureMeant(model);
    const answer = figure?.answer;
    const ahead = answer !== undefined && isAhead(answer);
    const sample = ahead ? undefined : answer && (seriesIn(answer.samples, address.labels) ?? answer.samples[0]);
    const named = Object.entries(address.labels).map(([field, value]) => labelName(value, lang, field));
    const window = windowOf(address, definition);

    say(this.title, [titleOf(model, address.kpi) || address.kpi, ...named].join(' · '));
    const end = momentOf(address, answer);
    say(this.when, whenText(window, end, lang, now));
    say(this.close, text(lang, address.at ? 'to_now' : 'close'));
    put(this.close, 'href', hrefOf(address.at ? without(address) : null, location.search));

    const listed = definition !== undefined && !hasTotal(definition) && !named.length;
    this.value.hidden = listed;
    say(this.value, isMixed(sample, unit) ? text(lang, 'mixed') : formatValue(sample?.value, unit, lang, currencyOf(sample)));
    put(this.value, 'data-value', sample ? String(sample.value) : null);
    const level = listed ? undefined : levelOf(definition, window, sample);
    put(this.value, 'data-level', level ?? null);
    const basis = sample && sample.value !== null && !listed ? [describe(sample, unit, lang)] : [];
    if (definition?.horizon && window === 'day' && answer && !answer.complete && !ahead)
      basis.push(openText(Date.parse(answer.end), definition, lang)[1]);
    const mature = answer && !listed && matureText(answer, lang);
    if (mature) basis.push(mature);
    if (definition && level) basis.push(wordOf(level, lang), describeTargets(definition, lang, currencyOf(sample)));
    say(this.basis, basis.join('\n'));
    say(this.about, definition?.description[lang] ?? '');
    const unknown = definition === undefined && model.definitions.size > 0;
    const refused = model.focus?.others.error; // the breakdown, of which the total knows nothing
    const problem = unknown
      ? text(lang, 'unknown_kpi', { name: address.kpi })
      : refused
        ? (unkeptText(address, definition, lang) ?? text(lang, 'unavailable', { error: refused }))
        : ahead
          ? aheadText(answer, address, model, now)
          : noteOf(figure, unit, model, now);
    say(this.note, problem ?? '');
    this.note.hidden = !problem;
    const overturned = overturnedText(model, now);
    say(this.overturned, overturned);
    this.overturned.hidden = overturned === '';
    this.drawAlerts(model, now);
    this.then.hidden = end === null || this.alerts.hidden;
    say(this.then, end === null ? '' : thenText(window, end, lang, now));
    this.drawWays(address, definition, lang);
    this.drawOthers(model, address, lang);
    this.drawChart(model, address, window, sample, end);
    this.turn();
  }

  /** The alerts that are meant, and what can be done about each. */
  private drawAlerts(model: Model, now: number): void {
    const alerts = meantAlerts(model);
    const over = overText(model);
    this.meant.hidden = alerts.length === 0 && over === '';
    this.alerts.hidden = alerts.length === 0;
    say(this.over, over);
    this.over.hidden = over === '';
    const make = () => {
      const row: HTMLElement = h('li', {}, h('p', { class: 'state' }), h('p'), h('p', { class: 'computed' }), makeTerms(), h('p', { class: 'held' }), makeActions(this.silence, () => alertOf(model, row)));
      return row;
    };
    rows(this.alerts, alerts, ({ id }) => id, make, (row, alert) => {
      fillMeant(row, alert, model, now);
    });
  }

  /** The windows and breakdowns that it can be looked at in. */
  private drawWays(address: Address, definition: Definition | undefined, lang: Lang): void {
    const chip = () => h('a', { class: 'chip', 'data-inside': '' });
    const { alert: _, ...unnamed } = address;
    const present = windowOf(address, definition);
    rows(this.windows, definition?.windows ?? [], String, chip, (link, window) => {
      say(link, formatWindow(window, lang));
      put(link, 'href', hrefOf({ ...address, window }, location.search));
      put(link, 'aria-current', window === present ? 'true' : null);
    });
    put(this.windows, 'aria-label', text(lang, 'windows'));
    rows(
      this.sets,
      definition?.by ?? [],
      (set) => set.join(),
      chip,
      (link, set) => {
        say(link, setName(set, lang) || text(lang, 'total'));
        put(link, 'href', hrefOf({ ...unnamed, by: set, labels: {} }, location.search));
        put(link, 'aria-current', set.join() === address.by.join() ? 'true' : null);
      },
    );
    put(this.sets, 'aria-label', text(lang, 'breakdowns'));
  }

  private drawOthers(model: Model, address: Address, lang: Lang): void {
    const steps = model.definitions.get(address.kpi)?.texts?.['step'];
    const { alert: _, ...unnamed } = address;
    const samples = othersOf(model.focus?.others.answer?.samples ?? [], address.labels, steps);
    const highest = Math.max(0, ...samples.map(({ value }) => value ?? 0));
    const unit = unitOf(model, address.kpi);
    const meant = Object.keys(address.labels).length ? seriesIn(samples, address.labels) : undefined;
    const make = () =>
      h(
        'li',
        {},
        h('a', { 'data-inside': '' }),
        h('span', { class: 'fill', 'aria-hidden': 'true' }),
        h('span', { class: 'num' }),
      );
    rows(
      this.others,
      samples,
      (sample) => JSON.stringify([sample.labels, currencyOf(sample)]),
      make,
      (row, sample) => {
        const [name, fill, value] = [...row.children] as [HTMLElement, HTMLElement, HTMLElement];
        const values = address.by.map((field) => labelName(sample.labels[field] ?? '(none)', lang, field));
        say(name, values.join(' · '));
        put(name, 'href', hrefOf({ ...unnamed, labels: sample.labels }, location.search));
        put(row, 'aria-current', sample === meant ? 'true' : null);
        fill.style.setProperty('--share', String(highest > 0 ? Math.max(0, (sample.value ?? 0) / highest) : 0));
        say(value, formatValue(sample.value, unit, lang, currencyOf(sample)));
        put(value, 'data-value', String(sample.value));
      },
    );
    this.others.hidden = samples.length === 0;
  }

  private drawChart(
    model: Model,
    address: Address,
    window: string,
    sample: Sample | undefined,
    end: number | null,
  ): void {
    const { watermark, focus } = model;
    const usual = focus?.band.at(-1);
    const write = (value: number) => formatValue(value, unitOf(model, address.kpi), model.lang, currencyOf(sample));
    this.usual.hidden = !usual;
    say(this.usual, usual ? text(model.lang, 'usual', { low: write(usual.low), high: write(usual.high) }) : '');
    if (watermark === null || !focus || focus.marks.length === 0) {
      this.chart.clear();
      return;
    }
    const axis = axisAround(end ?? watermark, watermark, window);
    this.chart.draw({
      name: titleOf(model, address.kpi),
      unit: unitOf(model, address.kpi),
      currency: currencyOf(sample),
      lang: model.lang,
      byDay: window === 'day',
      axis,
      marks: inCurrency(focus.marks, currencyOf(sample)),
      spans: spansOf(address.kpi, model, focus.past).filter(({ labels }) => about(address, labels)),
      band: focus.band,
      ...(end === null ? {} : { at: end }),
    });
  }
}

function fillMeant(row: HTMLElement, alert: Alert, model: Model, now: number): void {
  const { lang } = model;
  const [state, summary, computed, terms, held, actions] = [...row.children] as HTMLElement[];
  put(row, 'data-state', alert.state);
  say(state!, stateText(alert, lang, now));
  say(summary!, alert.annotations['summary'] ?? '');
  summary!.hidden = summary!.textContent === '';
  say(computed!, computedText(alert, lang));
  computed!.hidden = computed!.textContent === '';
  fillTerms(terms!, alert, ruleOf(alert, model.alerts), lang);
  say(held!, heldText(alert, model.silences, lang, now));
  held!.hidden = held!.textContent === '';
  fillActions(actions!, alert, lang);
}

/** about tells alerts of the series shown, and of its parts, from those of other series. */
function about({ labels }: Address, fired: Record<string, string>): boolean {
  return Object.entries(labels).every(([field, value]) => fired[field] === undefined || fired[field] === value);
}

/** without is an address without its time. */
function without({ at: _, ...rest }: Address): Address {
  return rest;
}
