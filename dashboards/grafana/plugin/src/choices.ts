// What KPIs offer: a window, a breakdown or a filter that one of them does not keep is none.
import { chosenOf, isAsked, kindOf, showOf } from './query.ts';
import type { Compare, Definition, Query, Show, Value } from './types.ts';

export interface Choices {
  windows: string[];
  /** Breakdowns; the total is the empty one. */
  sets: string[][];
  /** What can be filtered by beside the breakdown and the other filters. */
  fields: string[];
  shows: Show[];
  values: Value[];
  compares: Compare[];
  top: boolean;
  bounds: boolean;
  minor: boolean;
  closed: boolean;
  live: boolean;
}

const both = (lists: readonly string[][]) =>
  lists.length === 0 ? [] : lists.reduce((common, list) => common.filter((one) => list.includes(one)));

const unique = <T>(list: readonly T[], key: (one: T) => string) => [
  ...new Map(list.map((one) => [key(one), one])).values(),
];

const keyOf = (fields: readonly string[]) => [...new Set(fields)].sort().join();

/** keeps reports whether a KPI is kept by these fields; those that it always tells apart need not be named. */
export const keeps = ({ by, split = [] }: Definition, fields: readonly string[]) =>
  by.some((set) => keyOf(set) === keyOf([...fields, ...split]));

/** isCohort tells KPIs whose days are those on which users were first seen, and final later. */
export const isCohort = ({ ratio, final_only, horizon }: Definition) =>
  ratio && final_only === true && (horizon ?? 0) > 0;

/** hasInterval tells KPIs that may have bounds: shares, and differences of shares such as NPS. */
const hasInterval = ({ ratio, unit }: Definition) => ratio && (unit === 'percent' || unit === 'number');

/** setsOf are the breakdowns without what is told apart anyhow. */
const setsOf = ({ by, split = [] }: Definition) => by.map((set) => set.filter((field) => !split.includes(field)));

/** choicesOf is what all KPIs of a query offer, beside what it asks for already. */
export function choicesOf(query: Query, definitions: readonly Definition[]): Choices {
  const kpis = chosenOf(query, definitions);
  const every = (test: (kpi: Definition) => boolean) => kpis.length > 0 && kpis.every(test);
  const filtered = (query.filters ?? []).filter(isAsked).map(({ field }) => field);
  const asked = [...(query.by ?? []), ...filtered];
  const show = kindOf(query) === 'kpi' ? showOf(query) : 'series';
  const cohorts = every(isCohort);
  const aligned = show !== 'triangle';

  const windows = both(kpis.map((kpi) => kpi.windows));
  // A filter brings its field along: a breakdown need not have it.
  const sets = kpis.flatMap(setsOf).flatMap((set) => [set, set.filter((field) => !filtered.includes(field))]);
  const fields = kpis.flatMap(({ by }) => by.flat());
  return {
    windows: show === 'triangle' ? windows.filter((window) => window === 'day') : windows,
    sets: unique(sets, keyOf).filter((set) => every((kpi) => keeps(kpi, [...set, ...filtered]))),
    fields: unique(fields, (field) => field).filter(
      (field) => !filtered.includes(field) && every((kpi) => keeps(kpi, [...asked, field])),
    ),
    shows: ['series', 'latest', 'table', ...(cohorts ? (['triangle'] as const) : [])],
    values: [
      'value',
      'numerator',
      ...(every(({ ratio }) => ratio) ? (['denominator'] as const) : []),
      'n',
      ...(every(hasInterval) ? (['low', 'high'] as const) : []),
    ],
    compares: aligned ? ['previous', 'yesterday', 'last_week'] : [],
    top: aligned,
    bounds: aligned && kpis.some(hasInterval),
    minor: kpis.some(({ unit }) => unit === 'money'),
    closed: show === 'latest' || show === 'table',
    live: show === 'series' || (show === 'latest' && !query.closed),
  };
}

/** The operator of active days, by whose fields users are listed. */
const days = 'days';

/** userFields are those by which users can be filtered. */
export function userFields(definitions: readonly Definition[]): string[] {
  const kpis = definitions.filter(({ from }) => from === days);
  return unique(kpis.flatMap(setsOf).flat(), (field) => field).sort();
}

/** keeperOf is a KPI that knows the values of a field of users. */
export const keeperOf = (field: string, definitions: readonly Definition[]) =>
  definitions.find((kpi) => kpi.from === days && keeps(kpi, [field]));

/** The segments of users, those by RFM only where a KPI tells them apart. */
export function segmentsOf(definitions: readonly Definition[]): string[] {
  const rfm = definitions.find(({ from, texts }) => from === 'rfm' && texts?.['segment']);
  return ['at_risk', 'churned', 'declining', 'new', 'loyal', ...(rfm?.texts?.['segment'] ?? [])];
}
