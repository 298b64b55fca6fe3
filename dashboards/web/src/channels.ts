// The breakdown by channel: four KPIs side by side, one row a channel.
import type { Sample } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { dash, formatValue } from './format.ts';
import type { Unit } from './format.ts';
import type { Model } from './model.ts';
import { keeps } from './model.ts';
import type { Key, Lang } from './strings.ts';
import { text } from './strings.ts';
import { describe } from './tiles.ts';

interface Column {
  kpi: string;
  name: Key;
  unit: Unit;
}

export const columns: readonly Column[] = [
  { kpi: 'plays', name: 'plays', unit: 'count' },
  { kpi: 'completion_rate', name: 'completion_rate', unit: 'percent' },
  { kpi: 'ctr', name: 'ctr', unit: 'percent' },
  { kpi: 'active_users', name: 'active_users', unit: 'count' },
];

const most = 12;

/** labelName writes a dimension's value; two of them are words of the service. */
export function labelName(value: string, lang: Lang): string {
  if (value === '(none)') return text(lang, 'none');
  if (value === '__other__') return text(lang, 'other');
  return value;
}

/** join brings the samples of all columns together by channel, most plays first. */
export function join(samples: readonly (readonly Sample[])[]): { channel: string; cells: (Sample | undefined)[] }[] {
  const byChannel = new Map<string, (Sample | undefined)[]>();
  samples.forEach((column, index) => {
    for (const sample of column) {
      const channel = sample.labels['channel'] ?? '(none)';
      let cells = byChannel.get(channel);
      if (!cells) byChannel.set(channel, (cells = samples.map(() => undefined)));
      cells[index] = sample;
    }
  });
  return [...byChannel]
    .map(([channel, cells]) => ({ channel, cells }))
    .sort((a, b) => (b.cells[0]?.value ?? -1) - (a.cells[0]?.value ?? -1) || (a.channel < b.channel ? -1 : 1));
}

const makeCell = () =>
  h(
    'td',
    { class: 'bar' },
    h(
      'div',
      {},
      h('span', { class: 'fill', 'aria-hidden': 'true' }),
      h('span', { class: 'num tip' }),
    ),
  );

/** drawChannels fills the table. */
export function drawChannels(body: HTMLElement, more: HTMLElement, model: Model): void {
  const { lang } = model;
  const figures = columns.map((column) => model.channels.get(column.kpi));
  const joined = join(figures.map((figure) => figure?.answer?.samples ?? []));
  const shown = joined.slice(0, most);
  const highest = columns.map((_, index) => Math.max(0, ...shown.map((row) => row.cells[index]?.value ?? 0)));

  rows(
    body,
    shown,
    (row) => row.channel,
    () => h('tr', {}, h('th', { scope: 'row' }), ...columns.map(makeCell)),
    (tr, row) => {
      put(tr, 'data-channel', row.channel);
      say(tr.cells[0]!, labelName(row.channel, lang));
      columns.forEach((column, index) => {
        fillCell(tr.cells[index + 1]!, column, row.cells[index], highest[index]!, lang);
      });
    },
  );

  body.closest<HTMLElement>('.card')!.hidden = !columns.some(({ kpi }) => keeps(model, kpi, '5m', 'channel'));
  const error = figures.find((figure) => figure?.error)?.error;
  const rest = joined.length - shown.length;
  if (error) say(more, text(lang, 'unavailable', { error }));
  else if (joined.length === 0) say(more, model.heard === null ? '' : text(lang, 'no_rows'));
  else say(more, rest > 0 ? text(lang, 'more', { count: String(rest) }) : '');
  more.hidden = more.textContent === '';
}

function fillCell(
  cell: HTMLTableCellElement,
  column: Column,
  sample: Sample | undefined,
  highest: number,
  lang: Lang,
): void {
  const [fill, num] = [...cell.firstElementChild!.children] as [HTMLElement, HTMLElement];
  const value = sample?.value ?? null;
  fill.style.setProperty('--share', String(value !== null && highest > 0 ? value / highest : 0));
  say(num, value === null ? dash : formatValue(value, column.unit, lang));
  put(num, 'data-kpi', column.kpi);
  put(num, 'data-value', sample ? String(sample.value) : null);
  const tip = sample && value !== null ? describe(sample, column.unit, lang) : null;
  put(num, 'data-tip', tip);
  put(num, 'aria-description', tip);
}
