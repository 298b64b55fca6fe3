// The breakdown by channel: four KPIs side by side, one row a channel.
import type { Sample } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { dash, formatValue } from './format.ts';
import type { Model } from './model.ts';
import { keeps, titleOf, unitOf } from './model.ts';
import { kpiOf } from './spans.ts';
import { labelName, text } from './strings.ts';
import { describe } from './tiles.ts';

export const columns = ['plays', 'completion_rate', 'ctr', 'active_users'] as const;

const most = 12;

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
    h('div', {}, h('span', { class: 'fill', 'aria-hidden': 'true' }), h('span', { class: 'num tip' })),
  );

/** drawChannels fills the table. */
export function drawChannels(head: HTMLElement, body: HTMLElement, more: HTMLElement, model: Model): void {
  const { lang } = model;
  const kept = columns.map((kpi) => keeps(model, kpi, '5m', 'channel'));
  columns.forEach((kpi, index) => {
    const title = head.children[index + 1] as HTMLElement;
    say(title, titleOf(model, kpi));
    title.hidden = !kept[index];
  });
  const firing = firingOn(model);
  const figures = columns.map((kpi) => model.channels.get(kpi));
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
      const fired = firing.get(row.channel);
      say(tr.cells[0]!, labelName(row.channel, lang));
      mark(tr.cells[0]!, fired && [...fired.values()].join(', '));
      columns.forEach((kpi, index) => {
        const cell = tr.cells[index + 1]!;
        cell.hidden = !kept[index];
        fillCell(cell, kpi, row.cells[index], highest[index]!, model);
        mark(cell, fired?.get(kpi));
      });
    },
  );

  body.closest<HTMLElement>('.card')!.hidden = !kept.some(Boolean);
  const error = figures.find((figure) => figure?.error)?.error;
  const rest = joined.length - shown.length;
  if (error) say(more, text(lang, 'unavailable', { error }));
  else if (joined.length === 0) say(more, model.heard === null ? '' : text(lang, 'no_rows'));
  else say(more, rest > 0 ? text(lang, 'more', { count: String(rest) }) : '');
  more.hidden = more.textContent === '';
}

/** firingOn names, by channel and KPI, the rules that fire. */
export function firingOn({ alerts, definitions }: Model): Map<string, Map<string, string>> {
  const channels = new Map<string, Map<string, string>>();
  for (const alert of alerts?.alerts ?? []) {
    const channel = alert.labels['channel'];
    if (alert.state !== 'firing' || channel === undefined) continue;
    const kpis = channels.get(channel) ?? new Map<string, string>();
    const kpi = kpiOf(alert, alerts, definitions) ?? '';
    kpis.set(kpi, [kpis.get(kpi), alert.rule].filter(Boolean).join(', '));
    channels.set(channel, kpis);
  }
  return channels;
}

/** mark shows that alerts fire about a cell, and which. */
function mark(cell: HTMLElement, rules: string | undefined): void {
  cell.classList.toggle('is-firing', rules !== undefined);
  put(cell, 'title', rules);
  put(cell, 'aria-description', rules);
}

function fillCell(cell: HTMLElement, kpi: string, sample: Sample | undefined, highest: number, model: Model): void {
  const { lang } = model;
  const unit = unitOf(model, kpi);
  const [fill, num] = [...cell.firstElementChild!.children] as [HTMLElement, HTMLElement];
  const value = sample?.value ?? null;
  fill.style.setProperty('--share', String(value !== null && highest > 0 ? value / highest : 0));
  say(num, value === null ? dash : formatValue(value, unit, lang));
  put(num, 'data-kpi', kpi);
  put(num, 'data-value', sample ? String(sample.value) : null);
  const tip = sample && value !== null ? describe(sample, unit, lang) : null;
  put(num, 'data-tip', tip);
  put(num, 'aria-description', tip);
}
