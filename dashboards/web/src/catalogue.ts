// The whole catalogue, under its own headings: a row a KPI, fetched often while in sight.
import { completed, hrefOf } from './address.ts';
import type { Definition } from './api.ts';
import { isOver } from './api.ts';
import { askDays, coarseStep, inCurrency, isDay, longDays, quarter, stepOf } from './axis.ts';
import type { Mark } from './axis.ts';
import { h, put, rows, say, svg } from './dom.ts';
import { formatDate, formatValue, formatWindow } from './format.ts';
import type { Unit } from './format.ts';
import type { Figure, Model } from './model.ts';
import { keyOf } from './model.ts';
import { firedAbout, spansOf } from './spans.ts';
import type { Lang } from './strings.ts';
import { fieldName, text } from './strings.ts';
import type { Level } from './targets.ts';
import { levelOf, wordOf } from './targets.ts';
import { describe, describeDays, isMixed } from './tiles.ts';

export interface Section {
  /** The English heading, empty for KPIs without one. */
  key: string;
  heading: string;
  kpis: Definition[];
}

/** How many points a row's trend has room for. */
const points = 36;

/** hasTotal tells KPIs with a value of their own from lists. */
export const hasTotal = ({ by }: Definition) => by.some((set) => set.length === 0);

/**
 * sectionsOf puts the KPIs under their headings, both in the order of the catalogue; those without one come last. Lists
 * of the largest are elsewhere.
 */
export function sectionsOf({ definitions, lang }: Pick<Model, 'definitions' | 'lang'>): Section[] {
  const sections = new Map<string, Section>();
  for (const kpi of [...definitions.values()].filter(({ top }) => !top).sort((a, b) => a.place - b.place)) {
    const key = kpi.group.en;
    const section = sections.get(key) ?? { key, heading: kpi.group[lang] || text(lang, 'own_kpis'), kpis: [] };
    sections.set(key, section);
    section.kpis.push(kpi);
  }
  const all = [...sections.values()];
  return [...all.filter(({ key }) => key !== ''), ...all.filter(({ key }) => key === '')];
}

/** shortWindow is the window in which a KPI is shown as it is just now; undefined for one that is kept by days alone. */
export function shortWindow({ windows }: Pick<Definition, 'windows'>): string | undefined {
  return ['5m', '15m', '1h', '1m', '24h'].find((one) => windows.includes(one)) ?? windows.find((one) => !isDay(one));
}

/** dayWindow is the window that shows today so far; undefined without one. */
export const dayWindow = ({ windows }: Pick<Definition, 'windows'>) =>
  ['day', 'today'].find((one) => windows.includes(one));

/** trendOf is what a row's trend asks for. */
export function trendOf(kpi: Pick<Definition, 'windows'>, watermark: number): Record<string, string> {
  const window = shortWindow(kpi);
  if (window === undefined) {
    if (dayWindow(kpi) === 'today')
      return { window: 'today', from: String(watermark - 86_400_000), to: String(watermark) };
    return askDays(watermark, longDays);
  }
  const span = Math.max(quarter, points * stepOf(window));
  return {
    window,
    from: String(watermark - span),
    to: String(watermark),
    step: `${coarseStep(window, span, points) / 1_000}s`,
  };
}

/** drawCatalogue fills the sections. */
export function drawCatalogue(parent: HTMLElement, model: Model, sight: IntersectionObserver): void {
  const { lang } = model;
  const make = () => {
    const card = h(
      'section',
      { class: 'card group' },
      h('header', {}, h('h2'), h('span', { class: 'window' }), h('span', { class: 'window' })),
      h('ul', { class: 'kpis' }),
    );
    sight.observe(card);
    return card;
  };
  rows(
    parent,
    sectionsOf(model),
    ({ key }) => key || '(own)',
    make,
    (card, section) => {
      const [heading, short, today] = [...card.firstElementChild!.children] as HTMLElement[];
      say(heading!, section.heading);
      put(card, 'aria-label', section.heading);
      say(short!, text(lang, 'latest'));
      say(today!, text(lang, 'window_day'));
      put(card, 'data-kpis', section.kpis.filter(hasTotal).map(({ name }) => name).join(' '));
      rows(
        card.lastElementChild as HTMLElement,
        section.kpis,
        ({ name }) => name,
        makeRow,
        (row, kpi) => {
          fillRow(row, kpi, model, lang);
        },
      );
    },
  );
}

const makeRow = () =>
  h(
    'li',
    {},
    h('a', { 'data-inside': '' }),
    h(
      'span',
      { class: 'spark', 'aria-hidden': 'true' },
      svg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none' }, svg('path', {})),
    ),
    h('span', { class: 'latest' }, h('span', { class: 'num tip' }), h('small')),
    h('span', { class: 'today' }, h('span', { class: 'num tip' }), h('small', { class: 'tip' })),
  );

function fillRow(row: HTMLElement, kpi: Definition, model: Model, lang: Lang): void {
  const [link, spark, latest, today] = [...row.children] as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  const short = shortWindow(kpi);
  const known = model.watermark !== null;
  const window = short ?? kpi.windows[0]!;
  const address = completed({ kpi: kpi.name, window, by: [], labels: {} }, kpi);
  const apart = address.by.map((field) => fieldName(field, lang)).join(' × ');
  const figureOf = (window: string | undefined) =>
    window === undefined || apart ? undefined : ((known && model.figures.get(keyOf(kpi.name, window))) || unknown);
  const daily = figureOf(dayWindow(kpi));
  // A day that is over is not today: its value is the latest there is.
  const last = short === undefined && daily?.answer && isOver(daily.answer) ? daily : undefined;
  const now = last ?? figureOf(short);
  const sofar = last ? undefined : daily;
  put(row, 'data-kpi', kpi.name);
  put(row, 'data-apart', apart || null);
  say(link, kpi.title[lang]);
  put(link, 'title', kpi.description[lang]);
  put(link, 'href', hrefOf(address, location.search));
  row.classList.toggle(
    'is-firing',
    spansOf(kpi.name, model, []).some(({ to }) => to === null),
  );
  put(spark, 'title', firedAbout(kpi.name, model) || null);
  const currency = now?.answer?.samples[0]?.currency;
  const marks = inCurrency((known && model.sparks.get(kpi.name)) || [], currency);
  put(spark.firstElementChild!.firstElementChild!, 'd', sparkOf(marks));

  const width = last ? formatDate(Date.parse(last.answer!.end) - 1) : short ? formatWindow(short, lang) : '';
  const level = levelOf(kpi, last ? 'day' : (short ?? ''), now?.answer?.samples[0]);
  const below = apart || [currency, width, wordOf(level, lang)].filter(Boolean).join(' · ');
  fillValue(latest, now, kpi.unit, lang, below, level);
  const days = model.days.get(kpi.name);
  const [change, , both] = (days && describeDays(days, kpi.unit, lang)) ?? ['', '', null];
  const ofDay = levelOf(kpi, 'day', sofar?.answer?.samples[0]);
  const word = [wordOf(ofDay, lang), change].filter(Boolean).join(' · ');
  fillValue(today, sofar, kpi.unit, lang, word, ofDay);
  put(today.lastElementChild!, 'data-tip', both);
}

const unknown: Figure = { warnings: [] };

/** fillValue writes a value with a word below it; nothing of a window that is not kept, which has no figure. */
function fillValue(
  cell: HTMLElement,
  figure: Figure | undefined,
  unit: Unit,
  lang: Lang,
  below: string,
  level: Level | undefined,
): void {
  const [value, word] = [...cell.children] as [HTMLElement, HTMLElement];
  const sample = figure?.answer?.samples[0];
  const mixed = isMixed(sample, unit);
  say(
    value,
    figure === undefined ? '' : mixed ? text(lang, 'mixed') : formatValue(sample?.value, unit, lang, sample?.currency),
  );
  put(value, 'data-value', sample ? String(sample.value) : null);
  put(value, 'data-level', level ?? null);
  put(
    value,
    'data-tip',
    mixed ? text(lang, 'several_currencies') : sample && sample.value !== null ? describe(sample, unit, lang) : null,
  );
  say(word, below);
}

/** sparkOf draws a trend into 100 by 24, from its least to its greatest value; gaps stay gaps. */
export function sparkOf(marks: readonly Mark[]): string {
  const values = marks.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length < 2) return '';
  const [first, last] = [marks[0]!.end, marks.at(-1)!.end];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number) => (high === low ? 12 : 22 - (20 * (value - low)) / (high - low));
  let pen = 'M';
  return marks
    .map(({ end, value }) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const point = `${pen}${((100 * (end - first)) / (last - first)).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = 'L';
      return point;
    })
    .join('');
}
