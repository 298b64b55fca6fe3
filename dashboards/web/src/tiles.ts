// The six tiles: a value, what it rests on, how it came there.
import { hrefOf } from './address.ts';
import type { Sample } from './api.ts';
import { currencyOf, instant } from './api.ts';
import { axisOf, inCurrency, isDay } from './axis.ts';
import { Chart } from './chart.ts';
import { h, put, rows, say } from './dom.ts';
import {
  formatChange,
  formatClock,
  formatDate,
  formatExact,
  formatMoment,
  formatMoney,
  formatValue,
  formatWindow,
  sameDay,
} from './format.ts';
import type { Unit } from './format.ts';
import type { Days, Figure, Model } from './model.ts';
import { keeps, keyOf, titleOf, unitOf } from './model.ts';
import { firedAbout, spansOf } from './spans.ts';
import type { Lang } from './strings.ts';
import { fieldName, text } from './strings.ts';
import { describeTargets, levelOf, wordOf } from './targets.ts';

export interface Tile {
  kpi: string;
  window: '5m' | 'day';
}

export const tiles: readonly Tile[] = [
  { kpi: 'active_users', window: '5m' },
  { kpi: 'dau', window: 'day' },
  { kpi: 'gmv_paid', window: 'day' },
  { kpi: 'completion_rate', window: '5m' },
  { kpi: 'ctr', window: '5m' },
  { kpi: 'at_risk_users', window: 'day' },
];

/** hasTile reports whether a tile shows a KPI in that window. */
export const hasTile = (kpi: string, window: string) =>
  tiles.some((tile) => tile.kpi === kpi && tile.window === window);

/** How many currencies a tile has room for. */
const mostCurrencies = 3;

/** isMixed tells an amount of several currencies, which have no sum, from a quantile of nothing. */
export const isMixed = (sample: Sample | undefined, unit: Unit) =>
  unit === 'money' && sample?.value === null && sample.numerator === null;

/** noteOf says what is wrong with a figure: in the page's words and zone as far as it has some. */
export function noteOf(
  figure: Figure | undefined,
  unit: Unit,
  { lang, begins }: Pick<Model, 'lang' | 'begins'>,
  now: number,
): string | undefined {
  if (figure?.error) return text(lang, 'unavailable', { error: figure.error });
  const [warning] = figure?.warnings ?? [];
  if (warning === undefined) return undefined;
  for (const one of figure!.warnings) {
    const [, field, value, near] = /^(\S+) "(.*?)" was not seen of late(?:: did you mean "(.*)"\?)?$/.exec(one) ?? [];
    if (!field) continue;
    const names = { field: fieldName(field, lang), value: value! };
    return near ? text(lang, 'unseen_near', { ...names, near }) : text(lang, 'unseen_value', names);
  }
  const sample = figure?.answer?.samples[0];
  if (isMixed(sample, unit) || / hold several currencies: /.test(warning)) return text(lang, 'several_currencies');
  if (/ exceeds 1 in /.test(warning)) return text(lang, 'above_one');
  const start = instant(figure?.answer?.start);
  if (begins !== null && start !== null && start < begins)
    return text(lang, 'begins', { time: formatMoment(begins, now) });
  const [, rebuilt] = /^a rebuild began with (\S+):/.exec(warning) ?? [];
  if (rebuilt) return text(lang, 'rebuilt', { time: formatMoment(instant(rebuilt), now) });
  const [, count] = / rests on fewer than (\d+) /.exec(warning) ?? [];
  return count ? text(lang, 'thin', { count }) : warning;
}

/** describe says what a value rests on: parts and interval of a ratio, all digits of the rest. */
export function describe(sample: Sample, unit: Unit, lang: Lang): string {
  if (sample.denominator === undefined) {
    const exact =
      unit === 'money' ? formatMoney(sample.value, currencyOf(sample), lang, true) : formatExact(sample.value, lang);
    const { exactness = 'exact' } = sample;
    const [, bound] = /^within (.+ %)$/.exec(exactness) ?? [];
    if (bound) return text(lang, 'n_within', { value: exact, bound });
    return text(lang, exactness === 'exact' ? 'n_exact' : 'n_about', { value: exact });
  }
  const [numerator, denominator] = [formatExact(sample.numerator, lang), formatExact(sample.denominator, lang)];
  const share = text(lang, 'n_ratio', { numerator, denominator });
  const parts = unit === 'percent' ? share : `${numerator} / ${denominator}`;
  if (sample.currency) return `${parts}\n${text(lang, 'n_minor', { currency: sample.currency })}`;
  if (sample.low === undefined || sample.high === undefined) return parts;
  const interval = { low: formatValue(sample.low, unit, lang), high: formatValue(sample.high, unit, lang) };
  return `${parts}\n${text(lang, 'n_interval', interval)}`;
}

/** describeDays compares today with yesterday until the same time: briefly, with the time, and with both values. */
export function describeDays(
  { today, yesterday }: Days,
  unit: Unit,
  lang: Lang,
): [brief: string, timed: string, both: string] | undefined {
  if (today.currency !== yesterday.currency) return undefined;
  const change = formatChange(today.value, yesterday.value, lang);
  if (change === undefined) return undefined;
  const time = formatClock(Date.parse(today.end), false);
  const write = (sample: Sample) => formatValue(sample.value, unit, lang, sample.currency);
  return [
    text(lang, 'than_yesterday', { change }),
    text(lang, 'than_yesterday_at', { change, time }),
    text(lang, 'both_days', { time, today: write(today), yesterday: write(yesterday) }),
  ];
}

/** TileView draws one tile. */
export class TileView {
  readonly element: HTMLElement;
  private readonly name = h('a', { 'data-inside': '' });
  private readonly window = h('span', { class: 'window' });
  private readonly value = h('span', { class: 'value' });
  private readonly amounts = h('span', { class: 'amounts' });
  private readonly n = h('span', { class: 'n tip', role: 'note', tabindex: '0' });
  private readonly target = h('span', { class: 'target tip', role: 'note', tabindex: '0' });
  private readonly change = h('span', { class: 'change tip', role: 'note', tabindex: '0' });
  private readonly note = h('span', { class: 'note' });
  private readonly fired = h('span', { class: 'fired' });
  private readonly chart = new Chart();

  constructor(private readonly tile: Tile) {
    this.element = h(
      'article',
      { class: 'tile card', 'data-kpi': tile.kpi },
      h('header', {}, h('h2', {}, this.name), this.window),
      h('p', { class: 'reading' }, this.value, this.amounts),
      h('p', { class: 'meta' }, this.n, this.target, this.change),
      this.chart.element,
      h('p', { class: 'caption' }, this.note, this.fired),
    );
  }

  draw(model: Model, now: number): void {
    const { lang } = model;
    const { kpi, window } = this.tile;
    this.element.hidden = !keeps(model, kpi, window);
    const figure = model.figures.get(keyOf(kpi, window));
    const unit = unitOf(model, kpi);
    // Before the first event a count of 0 would be a claim about nothing.
    const sample = model.watermark === null ? undefined : figure?.answer?.samples[0];
    const mixed = isMixed(sample, unit) ? (model.currencies.get(kpi)?.answer?.samples ?? []) : [];
    const note = mixed.length > 0 ? undefined : noteOf(figure, unit, model, now);

    say(this.name, titleOf(model, kpi));
    put(this.name, 'title', model.definitions.get(kpi)?.description[lang]);
    put(this.name, 'href', hrefOf({ kpi, window, by: [], labels: {} }, location.search));
    say(this.window, this.windowName(model, now));

    this.value.hidden = mixed.length > 0;
    say(this.value, formatValue(sample?.value, unit, lang, sample?.currency));
    put(this.value, 'data-value', sample ? String(sample.value) : null);
    this.drawAmounts(mixed, lang);
    this.drawN(sample, unit, lang);
    this.drawTarget(model, sample);
    this.drawChange(model, unit);

    say(this.note, note ?? text(lang, window === 'day' ? 'trend_days' : 'trend_own'));
    this.note.classList.toggle('is-wrong', note !== undefined);
    say(this.fired, firedAbout(kpi, model));
    this.element.classList.toggle('is-blank', model.watermark === null && note === undefined);
    this.drawTrend(model, mixed[0] ?? sample, unit);
  }

  private windowName(model: Model, now: number): string {
    const { lang, watermark } = model;
    if (this.tile.window === 'day' && watermark !== null && !sameDay(watermark, now)) return formatDate(watermark);
    return formatWindow(this.tile.window, lang);
  }

  private drawAmounts(samples: readonly Sample[], lang: Lang): void {
    const amount = (sample: Sample) => formatMoney(sample.value, currencyOf(sample), lang);
    const shown = samples.slice(0, mostCurrencies);
    rows(
      this.amounts,
      shown,
      (sample) => currencyOf(sample) ?? '',
      () => h('span', {}, h('b'), h('small')),
      (row, sample) => {
        say(row.children[0]!, amount(sample));
        say(row.children[1]!, currencyOf(sample) ?? '');
        put(row, 'title', formatMoney(sample.value, currencyOf(sample), lang, true));
      },
    );
    this.amounts.hidden = samples.length === 0;
    const rest = samples.slice(mostCurrencies).map((sample) => `${amount(sample)} ${currencyOf(sample) ?? ''}`);
    put(this.amounts, 'title', rest.length > 0 ? rest.join('\n') : null);
  }

  private drawN(sample: Sample | undefined, unit: Unit, lang: Lang): void {
    const n = sample?.denominator === undefined ? '' : `${text(lang, 'n')} ${formatValue(sample.n, 'count', lang)}`;
    say(this.n, sample?.currency ?? n);
    this.n.hidden = this.n.textContent === '';
    const tip = sample && sample.value !== null ? describe(sample, unit, lang) : null;
    put(this.n, 'data-tip', tip);
    put(this.n, 'aria-label', tip && `${this.n.textContent}: ${tip}`);
  }

  private drawTarget(model: Model, sample: Sample | undefined): void {
    const kpi = model.definitions.get(this.tile.kpi);
    const level = levelOf(kpi, this.tile.window, sample);
    const word = wordOf(level, model.lang);
    const levels = kpi && level ? describeTargets(kpi, model.lang, currencyOf(sample)) : null;
    say(this.target, word);
    this.target.hidden = word === '';
    put(this.value, 'data-level', level ?? null);
    put(this.target, 'data-level', level ?? null);
    put(this.target, 'data-tip', levels);
    put(this.target, 'aria-label', levels && `${word}: ${levels}`);
  }

  private drawChange(model: Model, unit: Unit): void {
    const days = model.days.get(this.tile.kpi);
    const [, timed, both] = (days && isDay(this.tile.window) && describeDays(days, unit, model.lang)) || ['', '', null];
    say(this.change, timed);
    this.change.hidden = timed === '';
    put(this.change, 'data-tip', both);
    put(this.change, 'aria-label', both && `${timed}: ${both}`);
  }

  private drawTrend(model: Model, sample: Sample | undefined, unit: Unit): void {
    if (model.watermark === null) {
      this.chart.clear();
      return;
    }
    const { kpi, window } = this.tile;
    this.chart.draw({
      name: titleOf(model, kpi),
      unit,
      currency: currencyOf(sample),
      lang: model.lang,
      byDay: window === 'day',
      axis: axisOf(model.watermark, window === 'day'),
      marks: inCurrency(model.trends.get(kpi) ?? [], currencyOf(sample)),
      spans: spansOf(kpi, model, model.past.alerts),
    });
  }
}
