// How far users come through the steps of a funnel: on the last day that is over, and in the last 24 hours.
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import type { Definition } from './api.ts';
import type { Mark, Series } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import { formatCount, formatDate, formatExact, formatPercent, formatWindow } from './format.ts';
import { openText } from './horizon.ts';
import type { Model } from './model.ts';
import { keeps } from './model.ts';
import type { Lang } from './strings.ts';
import { labelName, text } from './strings.ts';

/** The window beside the day. */
export const running = '24h';

/** Its KPI has the users by step; those named after it the conversion of each step, and that of all. */
export interface Funnel extends Pick<Definition, 'horizon'> {
  kpi: string;
  rate?: string;
  overall?: string;
  /** In the order of the operator. */
  steps: readonly string[];
}

type Known = Pick<Model, 'definitions'>;

/** isKept reports whether a KPI is kept for the day or beside it, in that breakdown. */
const isKept = (known: Known, kpi: string, by: string) =>
  ['day', running].some((window) => keeps(known, kpi, window, by));

const countsSteps = ({ split, ratio, unit }: Definition) => split?.join() === 'step' && !ratio && unit === 'count';

/** funnelsOf finds the KPIs that count users by step, in the order of the catalogue. */
export function funnelsOf(known: Known): Funnel[] {
  return [...known.definitions.values()]
    .filter((kpi) => countsSteps(kpi) && isKept(known, kpi.name, 'step'))
    .sort((a, b) => a.place - b.place)
    .map(({ name, from, texts, horizon }) => {
      const beside = (kpi: string, by: string) => {
        const other = known.definitions.get(kpi);
        return other?.ratio && other.from === from && isKept(known, kpi, by) ? kpi : undefined;
      };
      const [rate, overall] = [beside(`${name}_step_rate`, 'step'), beside(`${name}_conversion`, '')];
      return {
        kpi: name,
        steps: texts?.['step'] ?? [],
        ...(horizon ? { horizon } : {}),
        ...(rate ? { rate } : {}),
        ...(overall ? { overall } : {}),
      };
    });
}

/** partsOf are the KPIs of a funnel, with what they are told apart by. */
export const partsOf = ({ kpi, rate, overall }: Funnel): { kpi: string; by?: string }[] => [
  { kpi, by: 'step' },
  ...(rate ? [{ kpi: rate, by: 'step' }] : []),
  ...(overall ? [{ kpi: overall }] : []),
];

/** dayOf is the end of the newest day that is over on which there is anything, else of the running one. */
export function dayOf(series: readonly Series[], watermark: number): number | undefined {
  const ends = series.flatMap(({ marks }) => marks.filter(({ value }) => value).map(({ end }) => end));
  const over = ends.filter((end) => end <= watermark);
  return ends.length === 0 ? undefined : Math.max(...(over.length > 0 ? over : ends));
}

export interface Step {
  /** Empty for all of them. */
  step: string;
  users?: number | null;
  rate?: Mark;
}

/** stepsOf are the steps as they follow each other, then all of them. Nobody is in what is not listed, once it is known. */
export function stepsOf(
  { kpi, rate, overall, steps }: Funnel,
  isKnown: boolean,
  find: (kpi: string, step?: string) => Mark | undefined,
): Step[] {
  const conversion = (kpi: string | undefined, step?: string) => {
    const mark = kpi && find(kpi, step);
    return mark ? { rate: mark } : {};
  };
  return [
    ...steps.map((step) => {
      const users = isKnown ? { users: (find(kpi, step) ?? { value: 0 }).value } : {};
      return { step, ...users, ...conversion(rate, step) };
    }),
    ...(overall ? [{ step: '', ...conversion(overall) }] : []),
  ];
}

interface Reading {
  window: string;
  /** Of a day; undefined without one. */
  end?: number | undefined;
  /** Whether the day may change. */
  open: boolean;
  steps: Step[];
}

function readingsOf(funnel: Funnel, { definitions, users, running: last, watermark }: Model): Reading[] {
  const { kpi } = funnel;
  const seriesIn = (known: ReadonlyMap<string, readonly Series[]>) => (name: string, step?: string) =>
    known.get(name)?.find(({ labels }) => labels['step'] === step);
  const [days, now] = [seriesIn(users), seriesIn(last)];
  const counted = users.get(kpi) ?? [];
  const end = dayOf(counted, watermark ?? 0);
  const onDay = (mark: Mark) => mark.end === end;
  const open = counted.some(({ marks }) => marks.some((mark) => onDay(mark) && mark.open));
  const daily = stepsOf(funnel, end !== undefined, (name, step) => days(name, step)?.marks.find(onDay));
  const live = stepsOf(funnel, last.has(kpi), (name, step) => now(name, step)?.marks[0]);
  return [
    { window: 'day', end, open, steps: daily },
    { window: running, open: false, steps: live },
  ].filter(({ window }) => keeps({ definitions }, kpi, window, 'step'));
}

/** makeFunnel makes the place of its readings. */
export const makeFunnel = () => [h('div', { class: 'funnel' })];

/** fillFunnel fills it. */
export function fillFunnel(place: HTMLElement, funnel: Funnel, model: Model): void {
  const { lang } = model;
  const make = () =>
    h(
      'div',
      {},
      h('p', {}, h('a', { 'data-inside': '' }), h('span'), h('b'), h('b')),
      h('ol', { class: 'parts' }),
    );
  rows(place, readingsOf(funnel, model), ({ window }) => window, make, (element, { window, end, open, steps }) => {
    const [head, list] = [...element.children] as [HTMLElement, HTMLElement];
    const [link, note, users, rate] = [...head.children] as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
    const date = end === undefined ? undefined : formatDate(end - 1);
    const at = date ? { at: date } : {};
    const to = (kpi: string, ...by: string[]): Address => ({ kpi, window, by, labels: {}, ...at });
    say(link, date ?? formatWindow(window, lang));
    put(link, 'href', hrefOf(to(funnel.kpi, 'step'), location.search));
    const [brief, sentence] = open && end !== undefined ? openText(end, funnel, lang) : ['', null];
    say(note, brief);
    put(note, 'title', sentence);
    say(users, text(lang, 'users'));
    say(rate, funnel.rate ? text(lang, 'conversion') : '');
    const most = Math.max(0, ...steps.map(({ users }) => users ?? 0));
    rows(list, steps, ({ step }) => step, makeStep, (row, step) => {
      fillStep(row, step, most, step.step ? to(funnel.kpi, 'step') : to(funnel.overall!), lang);
    });
  });
}

const makeStep = () =>
  h(
    'li',
    {},
    h('a', { 'data-inside': '' }),
    h('span', { class: 'fill', 'aria-hidden': 'true' }),
    h('span', { class: 'num' }),
    h('span', { class: 'num tip' }),
  );

function fillStep(row: HTMLElement, { step, users, rate }: Step, most: number, to: Address, lang: Lang): void {
  const [name, fill, count, share] = [...row.children] as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  put(row, 'data-step', step);
  say(name, step ? labelName(step, lang, 'step') : text(lang, 'overall'));
  put(name, 'title', step || null);
  put(name, 'href', hrefOf(step ? { ...to, labels: { step } } : to, location.search));
  fill.style.setProperty('--share', String(most > 0 ? (users ?? 0) / most : 0));
  say(count, step ? formatCount(users, lang) : '');
  put(count, 'data-value', users === undefined ? null : String(users));
  say(share, rate ? formatPercent(rate.value, lang) : '');
  put(share, 'data-value', rate ? String(rate.value) : null);
  const [numerator, denominator] = rate?.parts ?? [];
  const whole = { numerator: formatExact(numerator, lang), denominator: formatExact(denominator, lang) };
  const tip = rate?.parts ? text(lang, 'n_ratio', whole) : null;
  put(share, 'data-tip', tip);
  put(share, 'aria-description', tip);
}
