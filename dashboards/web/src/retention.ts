// How many users come back: a row a day on which they were first seen, a column a number of days later.
import { hrefOf } from './address.ts';
import type { Definition } from './api.ts';
import type { Mark } from './axis.ts';
import { longDays } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import { formatDate, formatExact, formatPercent } from './format.ts';
import type { Model } from './model.ts';
import { keeps } from './model.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** How many days have a row of their own. */
const most = 14;

export interface Column {
  kpi: string;
  after: number;
}

/** columnsOf finds the KPIs retention_dN, by their N. */
export function columnsOf({ definitions }: Pick<Model, 'definitions'>): Column[] {
  const after = ({ name }: Definition) => Number(/^retention_d(\d+)$/.exec(name)?.[1] ?? NaN);
  return [...definitions.values()]
    .map((kpi) => ({ kpi: kpi.name, after: after(kpi) }))
    .filter(({ kpi, after }) => after > 0 && keeps({ definitions }, kpi, 'day'))
    .sort((a, b) => a.after - b.after);
}

export interface Cell {
  value: number;
  parts: readonly [number, number];
  /** The ends of the first and the last day in it. */
  first: number;
  last: number;
}

export interface Cohort {
  /** Its day's end; null for all days together. */
  end: number | null;
  cells: (Cell | undefined)[];
}

/** cohortsOf are all days together, then the newest of which something is final, one by one. */
export function cohortsOf(columns: readonly (readonly Mark[])[]): Cohort[] {
  const known = columns.map((marks) => marks.flatMap((mark) => cellOf(mark) ?? []));
  const newest = Math.max(...known.flat().map(({ last }) => last));
  if (newest === -Infinity) return [];
  const ends = [...new Set(columns.flatMap((marks) => marks.map(({ end }) => end)))]
    .filter((end) => end <= newest)
    .sort((a, b) => b - a)
    .slice(0, most);
  const days = ends.map((end) => ({ end, cells: known.map((cells) => cells.find(({ last }) => last === end)) }));
  return [{ end: null, cells: known.map(together) }, ...days];
}

function cellOf({ end, value, parts }: Mark): Cell | undefined {
  return value === null || !parts ? undefined : { value, parts, first: end, last: end };
}

/** together weighs each day with its users. */
function together(cells: readonly Cell[]): Cell | undefined {
  const sum = (part: 0 | 1) => cells.reduce((all, { parts }) => all + parts[part], 0);
  const parts = [sum(0), sum(1)] as const;
  if (parts[1] === 0) return undefined;
  return { value: parts[0] / parts[1], parts, first: cells[0]!.first, last: cells.at(-1)!.last };
}

/** makeRetention makes the card's table. */
export const makeRetention = () => [
  h('table', {}, h('thead', {}, h('tr')), h('tbody')),
  h('p', { class: 'note' }),
];

/** fillRetention fills it. */
export function fillRetention(table: HTMLElement, note: HTMLElement, model: Model): void {
  const { lang, users } = model;
  const columns = columnsOf(model);
  const cohorts = cohortsOf(columns.map(({ kpi }) => users.get(kpi)?.[0]?.marks ?? []));
  const highest = Math.max(...cohorts.flatMap(({ cells }) => cells.map((cell) => cell?.value ?? 0)));
  const [head, body] = [table.querySelector('tr')!, table.querySelector('tbody')!];
  rows(
    head,
    [undefined, ...columns],
    (column) => column?.kpi ?? '',
    () => h('th', { scope: 'col' }, h('a')),
    (th, column) => {
      const link = th.firstElementChild!;
      say(link, column ? `D${column.after}` : text(lang, 'first_seen'));
      if (!column) return;
      put(link, 'data-inside', '');
      put(link, 'href', hrefOf({ kpi: column.kpi, window: 'day', by: [], labels: {} }, location.search));
      put(link, 'title', model.definitions.get(column.kpi)?.title[lang]);
    },
  );
  rows(
    body,
    cohorts,
    ({ end }) => String(end),
    () => h('tr', {}, h('th', { scope: 'row' })),
    (tr, { end, cells }) => {
      say(tr.cells[0]!, end === null ? text(lang, 'last_days', { count: String(longDays) }) : formatDate(end - 1));
      while (tr.cells.length > cells.length + 1) tr.cells[tr.cells.length - 1]!.remove();
      while (tr.cells.length < cells.length + 1) tr.append(h('td', {}, h('span', { class: 'num tip' })));
      cells.forEach((cell, index) => {
        fillCell(tr.cells[index + 1]!, cell, highest, lang);
      });
    },
  );
  say(note, cohorts.length === 0 && users.size > 0 ? text(lang, 'retention_none') : '');
  note.hidden = note.textContent === '';
}

function fillCell(td: HTMLElement, cell: Cell | undefined, highest: number, lang: Lang): void {
  const num = td.firstElementChild as HTMLElement;
  say(num, cell ? formatPercent(cell.value, lang) : '');
  put(num, 'data-value', cell ? String(cell.value) : null);
  // Squared, the shade tells apart what differs by little.
  num.style.setProperty('--share', String(cell && highest > 0 ? (cell.value / highest) ** 2 : 0));
  const tip = cell ? tipOf(cell, lang) : null;
  put(num, 'data-tip', tip);
  put(num, 'aria-description', tip);
}

function tipOf({ parts: [numerator, denominator], first, last }: Cell, lang: Lang): string {
  const whole = { numerator: formatExact(numerator, lang), denominator: formatExact(denominator, lang) };
  const days = [...new Set([first, last])].map((end) => formatDate(end - 1)).join(' – ');
  return `${text(lang, 'n_ratio', whole)}\n${text(lang, 'first_seen')} ${days}`;
}
