// The six tiles: value, what it rests on, how fresh it is, how it came there.
import type { Sample } from './api.ts';
import { instant } from './api.ts';
import { axisOf } from './axis.ts';
import { Chart } from './chart.ts';
import { h, put, say } from './dom.ts';
import { dash, formatAge, formatClock, formatExact, formatMoney, formatPercent, formatValue, sameDay } from './format.ts';
import type { Unit } from './format.ts';
import type { Figure, Model } from './model.ts';
import { keeps } from './model.ts';
import type { Key, Lang } from './strings.ts';
import { text } from './strings.ts';

export interface Tile {
  kpi: string;
  name: Key;
  unit: Unit;
  window: '5m' | 'day';
  /** The windows drawn as the trend: of a quarter of an hour, or days. */
  trend: '5m' | 'day';
}

export const tiles: readonly Tile[] = [
  { kpi: 'active_users', name: 'active_users', unit: 'count', window: '5m', trend: '5m' },
  { kpi: 'dau', name: 'dau', unit: 'count', window: 'day', trend: 'day' },
  { kpi: 'completion_rate', name: 'completion_rate', unit: 'percent', window: '5m', trend: '5m' },
  { kpi: 'ctr', name: 'ctr', unit: 'percent', window: '5m', trend: '5m' },
  { kpi: 'gmv_paid', name: 'gmv_paid', unit: 'money', window: 'day', trend: '5m' },
  { kpi: 'at_risk_users', name: 'at_risk_users', unit: 'count', window: 'day', trend: 'day' },
];

/** missingText names the tiles that are not shown because the catalogue lacks their KPI. */
export function missingText(model: Model): string {
  const missing = tiles.filter(({ kpi, window }) => !keeps(model, kpi, window));
  const names = missing.map(({ name }) => text(model.lang, name)).join(model.lang === 'zh' ? '、' : ', ');
  return names === '' ? '' : text(model.lang, 'missing', { names });
}

/** noteOf says what is wrong with a figure: in the page's words as far as it has some. */
export function noteOf(figure: Figure | undefined, lang: Lang): string | undefined {
  if (figure?.error) return text(lang, 'unavailable', { error: figure.error });
  const [warning] = figure?.warnings ?? [];
  if (warning === undefined) return undefined;
  const sample = figure?.answer?.samples[0];
  if (sample?.value === null && sample.numerator === null) return text(lang, 'several_currencies');
  if (sample?.value != null && sample.value > 1 && sample.denominator !== undefined) return text(lang, 'above_one');
  return warning;
}

/** describe says what a value rests on: parts and interval of a ratio, all digits of the rest. */
export function describe(sample: Sample, unit: Unit, lang: Lang): string {
  if (sample.denominator === undefined) {
    const exact =
      unit === 'money' ? formatMoney(sample.value, sample.currency, lang, true) : formatExact(sample.value, lang);
    return text(lang, 'n_exact', { value: exact });
  }
  const parts = text(lang, 'n_ratio', {
    numerator: formatExact(sample.numerator, lang),
    denominator: formatExact(sample.denominator, lang),
  });
  if (sample.low === undefined || sample.high === undefined) return parts;
  const interval = { low: formatPercent(sample.low, lang), high: formatPercent(sample.high, lang) };
  return `${parts}\n${text(lang, 'n_interval', interval)}`;
}

/** TileView draws one tile. */
export class TileView {
  readonly element: HTMLElement;
  private readonly name = h('h2');
  private readonly window = h('span', { class: 'window' });
  private readonly value = h('span', { class: 'value' });
  private readonly open = h('span', { class: 'open' });
  private readonly n = h('span', { class: 'n tip', role: 'note', tabindex: '0' });
  private readonly fresh = h('span', { class: 'fresh' });
  private readonly caption = h('p', { class: 'caption' });
  private readonly chart = new Chart();

  constructor(private readonly tile: Tile) {
    this.element = h(
      'article',
      { class: 'tile card', 'data-kpi': tile.kpi },
      h('header', {}, this.name, this.window),
      h('p', { class: 'reading' }, this.value, this.open),
      h('p', { class: 'meta' }, this.n, this.fresh),
      this.chart.element,
      this.caption,
    );
  }

  draw(model: Model, now: number): void {
    const { lang } = model;
    this.element.hidden = !keeps(model, this.tile.kpi, this.tile.window);
    const figure = model.figures.get(this.tile.kpi);
    // Before the first event a count of 0 would be a claim about nothing.
    const sample = model.watermark === null ? undefined : figure?.answer?.samples[0];
    const note = noteOf(figure, lang);

    say(this.name, text(lang, this.tile.name));
    put(this.name, 'title', model.definitions.get(this.tile.kpi)?.description[lang]);
    say(this.window, this.windowName(model, now));

    say(this.value, formatValue(sample?.value, this.tile.unit, lang, sample?.currency));
    put(this.value, 'data-value', sample ? String(sample.value) : null);
    this.drawOpen(sample, lang);
    this.drawN(sample, lang);
    this.drawFresh(model, now);

    say(this.caption, note ?? this.captionText(model));
    this.caption.classList.toggle('note', note !== undefined);
    this.element.classList.toggle('is-blank', model.watermark === null && note === undefined);
    this.drawTrend(model, sample);
  }

  private windowName(model: Model, now: number): string {
    if (this.tile.window === '5m') return text(model.lang, 'window_5m');
    const old = model.watermark !== null && !sameDay(model.watermark, now);
    return text(model.lang, old ? 'window_dated' : 'window_day');
  }

  private drawOpen(sample: Sample | undefined, lang: Lang): void {
    const open = sample !== undefined && sample.value !== null && !sample.complete;
    this.open.hidden = !open;
    if (!open) return;
    say(this.open, text(lang, 'open'));
    put(this.open, 'title', text(lang, 'open_help', { end: formatClock(instant(sample.end)) }));
  }

  private drawN(sample: Sample | undefined, lang: Lang): void {
    // The n of money would be minor units, which is no number of things.
    const counted = sample !== undefined && this.tile.unit !== 'money';
    const amount = counted ? formatValue(sample.n, 'count', lang) : dash;
    const currency = this.tile.unit === 'money' ? sample?.currency : undefined;
    say(this.n, currency ?? `${text(lang, 'n')} ${amount}`);
    const tip = sample && sample.value !== null ? describe(sample, this.tile.unit, lang) : null;
    put(this.n, 'data-tip', tip);
    put(this.n, 'aria-label', tip && `${this.n.textContent}: ${tip}`);
  }

  private drawFresh(model: Model, now: number): void {
    const { lang, watermark } = model;
    say(this.fresh, watermark === null ? dash : text(lang, 'behind', { age: formatAge(now - watermark, lang) }));
  }

  private captionText({ lang }: Model): string {
    const { trend, window } = this.tile;
    if (trend === 'day') return text(lang, 'trend_days');
    if (trend === window) return text(lang, 'trend_own');
    return text(lang, 'trend_window', { window: text(lang, 'window_5m') });
  }

  private drawTrend(model: Model, sample: Sample | undefined): void {
    if (model.watermark === null) {
      this.chart.clear();
      return;
    }
    this.chart.draw({
      name: text(model.lang, this.tile.name),
      unit: this.tile.unit,
      currency: sample?.currency,
      lang: model.lang,
      byDay: this.tile.trend === 'day',
      axis: axisOf(model.watermark, this.tile.trend === 'day'),
      marks: model.trends.get(this.tile.kpi) ?? [],
    });
  }
}
