// What a query asks for, and how a choice changes it.
import type { DataQuery } from '@grafana/schema';
import type { Definition, Filter, Kind, Query } from './types.ts';

export const kindOf = ({ kind }: Pick<Query, 'kind'>): Kind => kind ?? 'kpi';
export const showOf = ({ show }: Pick<Query, 'show'>) => show ?? 'series';

/** Changes are fields of a query; undefined takes one away. */
export type Changes<Q> = { [K in keyof Q]?: Q[K] | undefined };

/** change makes choices in a query. What says no more than the default does is not stored; all else stays. */
export function change<Q extends DataQuery>(query: Q, changes: Changes<Q>): Q {
  const changed = { ...query, ...changes } as Q;
  for (const name of Object.keys(changes) as (keyof Q)[]) if (isNothing(changed[name])) delete changed[name];
  return changed;
}

const isNothing = (value: unknown) =>
  value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);

/** begin keeps of a query what every data source knows, such as its refId, and has it ask anew. */
export function begin({ refId, datasource, hide, key, queryType }: Query, ask: Partial<Query>): Query {
  const common: Changes<DataQuery> = { datasource, hide, key, queryType };
  return change<Query>({ refId }, { ...common, ...ask });
}

/** isWhole reports whether there is enough of a query to ask. */
export function isWhole(query: Query): boolean {
  switch (kindOf(query)) {
    case 'kpi':
    case 'revisions':
      return (query.kpis ?? []).length > 0;
    case 'users':
      return Boolean(query.segment || query.active);
    case 'alerts':
    case 'freshness':
      return true;
  }
}

/** isAsked tells filters that leave something out: not those without values, nor those at All. */
export const isAsked = ({ field, values }: Filter) =>
  field !== '' && values.length > 0 && !(values.length === 1 && values[0] === all);

/** What a variable at All is, where it stands for itself. */
export const all = '$__all';

/** chosenOf are the definitions of the KPIs of a query, as far as the service has them. */
export const chosenOf = ({ kpis }: Pick<Query, 'kpis'>, definitions: readonly Definition[]) =>
  (kpis ?? []).flatMap((name) => definitions.find((kpi) => kpi.name === name) ?? []);
