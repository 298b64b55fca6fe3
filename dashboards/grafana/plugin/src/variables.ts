// Variables of dashboards in queries. A list takes every value of a variable; a filter at All is left out.
import type { ScopedVars } from '@grafana/data';
import { all, isAsked } from './query.ts';
import type { Filter, Query, VariableQuery } from './types.ts';

/** Replace puts values of variables into a text, as TemplateSrv does. */
export type Replace = (
  text: string,
  scoped?: ScopedVars,
  format?: string | ((value: unknown, variable: { name: string }) => string),
) => string;

/** applied is a query with the values of its variables. */
export function applied(query: Query, replace: Replace, scoped: ScopedVars): Query {
  const lists = { kpis: list(query.kpis, replace, scoped), by: list(query.by, replace, scoped) };
  const { filters } = query;
  return {
    ...query,
    ...texts(query, ['window', 'segment', 'active', 'notActive'], replace, scoped),
    ...(lists.kpis && { kpis: lists.kpis }),
    // One value of a variable can be a breakdown by several fields, or by none.
    ...(lists.by && {
      by: lists.by.flatMap((one) => one.split(',')).filter((field) => field !== '' && field !== 'total'),
    }),
    ...(filters && { filters: filtered(filters, replace, scoped) }),
  };
}

/** appliedVariable is what a variable asks for, with the values of those that it depends on. */
export function appliedVariable(query: VariableQuery, replace: Replace, scoped: ScopedVars): VariableQuery {
  return {
    ...query,
    ...texts(query, ['kpi', 'window', 'field'], replace, scoped),
    ...(query.filters && { filters: filtered(query.filters, replace, scoped) }),
  };
}

/** hasVariable tells texts that stand for something else. */
export const hasVariable = (text: string) => /\$\w|\$\{|\[\[/.test(text) && text !== all;

function texts<Q extends object>(
  query: Q,
  names: readonly (keyof Q)[],
  replace: Replace,
  scoped: ScopedVars,
): Partial<Q> {
  const found = names.flatMap((name) => {
    const text = query[name];
    return typeof text === 'string' ? [[name, replace(text, scoped)]] : [];
  });
  return Object.fromEntries(found) as Partial<Q>;
}

const list = (texts: readonly string[] | undefined, replace: Replace, scoped: ScopedVars) =>
  texts && [...new Set(texts.flatMap((text) => expand(text, replace, scoped).values))];

function filtered(filters: readonly Filter[], replace: Replace, scoped: ScopedVars): Filter[] {
  return filters
    .map(({ field, op, values }) => {
      const made = values.map((value) => expand(value, replace, scoped));
      const chosen = made.some((one) => one.all) ? [] : [...new Set(made.flatMap((one) => one.values))];
      // Values of variables are no expressions.
      const matched =
        op === '=~' && chosen.length > 0 ? values.map((value) => replace(value, scoped, 'regex')) : chosen;
      return { field: replace(field, scoped), op, values: matched };
    })
    .filter(isAsked);
}

interface Expanded {
  values: string[];
  /** Whether one of the variables is at All. */
  all: boolean;
}

/** expand writes a text once for each value of the variables in it: for none where one has none. */
function expand(text: string, replace: Replace, scoped: ScopedVars): Expanded {
  const found: { name: string; values: string[] }[] = [];
  const mark = (place: number) => `\u0000${place}\u0000`;
  const marked = replace(text, scoped, (value, { name }) => {
    const values = [value]
      .flat()
      .map(String)
      .filter((one) => one !== '');
    return mark(found.push({ name, values }) - 1);
  });
  const values = found.reduce(
    (texts, { values }, place) => texts.flatMap((one) => values.map((value) => one.replaceAll(mark(place), value))),
    [marked],
  );
  return { values, all: found.some(({ name, values }) => isAll(name, values, replace, scoped)) };
}

/** isAll asks for the text of a variable: as values, All is the list of all. */
function isAll(name: string, values: readonly string[], replace: Replace, scoped: ScopedVars): boolean {
  if (values.length === 1 && values[0] === all) return true;
  return replace(`\${${name}:text}`, scoped) === 'All' && values.join() !== 'All';
}
