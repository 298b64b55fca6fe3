// Questions that are asked often, as far as the catalogue answers them.
import { isCohort } from './choices.ts';
import type { Definition, Query } from './types.ts';

export interface Preset {
  name: 'retention' | 'funnel' | 'lifecycle' | 'at_risk';
  ask: Partial<Query>;
}

const byPlace = (a: Definition, b: Definition) => a.place - b.place;
const names = (kpis: readonly Definition[]) => kpis.map(({ name }) => name);

export function presetsOf(definitions: readonly Definition[]): Preset[] {
  const known = [...definitions].sort(byPlace);
  const found: Preset[] = [];

  const cohorts = retentionOf(known);
  if (cohorts.length > 0)
    found.push({ name: 'retention', ask: { kpis: names(cohorts), window: 'day', show: 'triangle' } });

  // A moving window has a number for every step at once, a day only once it is over.
  const funnel = known.find(({ split, ratio, unit }) => split?.join() === 'step' && !ratio && unit === 'count');
  const [moving] = funnel?.windows.filter((window) => window !== 'day') ?? [];
  if (funnel)
    found.push({ name: 'funnel', ask: { kpis: [funnel.name], ...(moving && { window: moving }), show: 'latest' } });

  const lifecycle = known.find(
    ({ split, texts }) => split?.join() === 'state' && texts?.['state']?.includes('returning'),
  );
  if (lifecycle) found.push({ name: 'lifecycle', ask: { kpis: [lifecycle.name], window: 'day' } });

  if (known.some(({ from }) => from === 'days'))
    found.push({ name: 'at_risk', ask: { kind: 'users', segment: 'at_risk' } });
  return found;
}

/** retentionOf are the cohorts of the operator that has most of them, the nearest day first. */
function retentionOf(known: readonly Definition[]): Definition[] {
  const cohorts = known.filter((kpi) => isCohort(kpi) && !kpi.split);
  const groups = [...new Set(cohorts.map(({ from }) => from))].map((from) =>
    cohorts.filter((kpi) => kpi.from === from),
  );
  const most = groups.reduce<Definition[]>((best, group) => (group.length > best.length ? group : best), []);
  return most.sort((a, b) => (a.horizon ?? 0) - (b.horizon ?? 0));
}
