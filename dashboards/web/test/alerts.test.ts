import assert from 'node:assert/strict';
import test from 'node:test';
import { unitOf } from '../src/alerts.ts';
import type { Definition, Rule } from '../src/api.ts';

const definitions = new Map(
  [
    ['gmv_paid', 'money'],
    ['ctr', 'percent'],
    ['plays', 'count'],
  ].map(([name, unit]) => [name!, { name, unit } as Definition]),
);

for (const [expr, want] of [
  ['kpi_gmv_paid{by="currency",window="1h"} < 100', 'money'],
  ['kpi_ctr{window="5m"} < 0.01', 'percent'],
  ['kpi_ctr_high{window="5m"} < 0.01', 'percent'],
  ['0.01 > kpi_ctr_low{window="5m"}', 'percent'],
  ['kpi_ctr_numerator{window="5m"} < 1', 'number'],
  ['kpi_plays{window="5m"} == 0', 'count'],
  ['kpi_gone{window="5m"} == 0', 'number'],
] as const) {
  test(`${expr} is compared in ${want}`, () => {
    const rule = { group: 'g', name: 'Low', expr } as Rule;
    const alerts = { alerts: [], rules: [rule], deliveries: [] };
    assert.equal(unitOf({ group: 'g', rule: 'Low' }, { alerts, definitions }), want);
  });
}
