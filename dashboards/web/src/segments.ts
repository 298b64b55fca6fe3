// How many customers there are by segment, as of the newest day; each leads to its numbers.
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import type { Definition } from './api.ts';
import type { Mark, Series } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import { formatCount, formatDate } from './format.ts';
import { openText } from './horizon.ts';
import type { Model } from './model.ts';
import { keeps } from './model.ts';
import type { Lang } from './strings.ts';
import { labelName } from './strings.ts';

const countsSegments = ({ split, ratio, unit }: Definition) =>
  split?.join() === 'segment' && !ratio && unit === 'count';

/** segmentedOf finds the KPIs that count customers by segment, in the order of the catalogue. */
export function segmentedOf(known: Pick<Model, 'definitions'>): Definition[] {
  return [...known.definitions.values()]
    .filter((kpi) => countsSegments(kpi) && keeps(known, kpi.name, 'day', 'segment'))
    .sort((a, b) => a.place - b.place);
}

/** newestOf is the newest of the days of a breakdown. */
export function newestOf(series: readonly Series[]): Mark | undefined {
  return series.flatMap(({ marks }) => marks).sort((a, b) => b.end - a.end)[0];
}

/** dayText is its date, and until when it is open. */
export function dayText(newest: Mark | undefined, definition: Pick<Definition, 'horizon'>, lang: Lang): string {
  if (!newest) return '';
  const date = formatDate(newest.end - 1);
  return newest.open ? `${date} · ${openText(newest.end, definition, lang)[0]}` : date;
}

/** makeSegments makes the bars. */
export const makeSegments = () => [h('ol', { class: 'parts' })];

/** fillSegments fills them; a segment leads to its numbers. */
export function fillSegments(list: HTMLElement, { name: kpi, texts }: Definition, model: Model): void {
  const { lang } = model;
  const series = model.users.get(kpi) ?? [];
  const newest = newestOf(series);
  const valueOf = (segment: string) => {
    const marks = series.find(({ labels }) => labels['segment'] === segment)?.marks;
    return newest && (marks?.find(({ end }) => end === newest.end)?.value ?? 0); // nobody is in what is not listed
  };
  const segments = texts?.['segment'] ?? [];
  const most = Math.max(0, ...segments.map((segment) => valueOf(segment) ?? 0));
  rows(list, segments, String, makeSegment, (row, segment) => {
    const [name, fill, count] = [...row.children] as [HTMLElement, HTMLElement, HTMLElement];
    const value = valueOf(segment);
    const to: Address = { kpi, window: 'day', by: ['segment'], labels: { segment } };
    put(row, 'data-segment', segment);
    say(name, labelName(segment, lang, 'segment'));
    put(name, 'href', hrefOf(to, location.search));
    fill.style.setProperty('--share', String(most > 0 ? (value ?? 0) / most : 0));
    say(count, formatCount(value, lang));
    put(count, 'data-value', value === undefined ? null : String(value));
  });
}

const makeSegment = () =>
  h(
    'li',
    {},
    h('a', { 'data-inside': '' }),
    h('span', { class: 'fill', 'aria-hidden': 'true' }),
    h('span', { class: 'num' }),
  );
