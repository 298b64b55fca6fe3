// Bars by day: parts piled up on zero, others hanging below it. Each day leads to its numbers.
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import type { Mark } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import { formatDate, formatExact, formatTick } from './format.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

export interface Part {
  key: string;
  name: string;
  marks: readonly Mark[];
  /** Whether it hangs below zero. */
  below?: boolean;
}

export interface Day {
  end: number;
  open: boolean;
  /** By part; null where nothing is known. */
  values: (number | null)[];
}

/** daysOf brings the parts together by day. */
export function daysOf(parts: readonly Part[]): Day[] {
  const days = new Map<number, Day>();
  parts.forEach(({ marks }, index) => {
    for (const { end, value, open } of marks) {
      const day = days.get(end) ?? { end, open: false, values: parts.map(() => null) };
      days.set(end, day);
      day.open ||= open === true;
      day.values[index] = value;
    }
  });
  return [...days.values()].sort((a, b) => a.end - b.end);
}

/** pileOf is where each value begins and ends, counted from zero, in the order of the parts. */
export function pileOf({ values }: Day, parts: readonly Part[]): [from: number, to: number][] {
  let [up, down] = [0, 0];
  return values.map((value, index) => {
    const size = value ?? 0;
    return parts[index]!.below ? [down, (down -= size)] : [up, (up += size)];
  });
}

/** ticksOf are the round numbers between two, zero among them: few, so that they can be read. */
export function ticksOf(low: number, high: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, high - low)));
  const step = Math.max(1, [0.2, 0.5, 1, 2].map((digit) => digit * power).find((one) => (high - low) / one < 6)!);
  const ticks: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at);
  return ticks;
}

/** makeStack makes the legend and the bars. */
export const makeStack = () => [
  h('ul', { class: 'legend' }),
  h('div', { class: 'bars' }, h('div', { class: 'ticks', 'aria-hidden': 'true' }), h('ol')),
];

/** fillStack fills them; a day leads to that day of the KPI that the address names. */
export function fillStack(
  legend: HTMLElement,
  bars: HTMLElement,
  parts: readonly Part[],
  to: Address,
  lang: Lang,
): void {
  const [lines, list] = [...bars.children] as [HTMLElement, HTMLElement];
  const days = daysOf(parts);
  const piles = days.map((day) => pileOf(day, parts));
  const ends = piles.flat(2);
  const [low, high] = [Math.min(0, ...ends), Math.max(1, ...ends)];
  const share = (value: number) => String((high - value) / (high - low)); // from the top
  const ticks = ticksOf(low, high);
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);

  rows(legend, parts, ({ key }) => key, () => h('li'), (item, { key, name }) => {
    put(item, 'data-part', key);
    say(item, name);
  });
  rows(lines, ticks, String, () => h('span'), (line, value) => {
    line.style.setProperty('--at', share(value));
    put(line, 'data-zero', value === 0 ? '' : null);
    say(line, formatTick(Math.abs(value), step, 'count', lang));
  });
  rows(list, days, ({ end }) => String(end), makeDay, (item, day, index) => {
    const [link, date] = [...item.children] as [HTMLElement, HTMLElement];
    const written = formatDate(day.end - 1);
    item.classList.toggle('is-open', day.open);
    item.classList.toggle('is-early', index < days.length / 2);
    put(link, 'href', hrefOf({ ...to, at: written }, location.search));
    const counts = parts.map(({ name }, part) => `${name} ${formatExact(day.values[part], lang)}`);
    const tip = [day.open ? `${written} · ${text(lang, 'open')}` : written, ...counts].join('\n');
    put(link, 'data-tip', tip);
    put(link, 'aria-label', tip.replaceAll('\n', ', '));
    rows(link, parts, ({ key }) => key, () => h('span'), (bar, { key }, part) => {
      const [from, to] = piles[index]![part]!;
      put(bar, 'data-part', key);
      put(bar, 'data-value', String(day.values[part]));
      bar.style.setProperty('--from', share(Math.max(from, to)));
      bar.style.setProperty('--size', String(Math.abs(to - from) / (high - low)));
    });
    say(date, written.slice(5));
  });
}

const makeDay = () => h('li', {}, h('a', { class: 'tip', 'data-inside': '' }), h('small', { 'aria-hidden': 'true' }));
