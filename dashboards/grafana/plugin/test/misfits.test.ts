import assert from 'node:assert/strict';
import test from 'node:test';
import { misfitsOf } from '../src/misfits.ts';
import type { Filter, Query } from '../src/types.ts';
import { catalogue } from './catalogue.ts';

const misfits = (query: Partial<Query>) => misfitsOf({ refId: 'A', ...query }, catalogue, 'en');
const douyin: Filter = { field: 'channel', op: '=', values: ['douyin'] };

for (const [query, want] of [
  [{ kpis: ['plays'], window: '5m', by: ['channel'], top: 3, compare: ['previous'], live: true }, {}],
  [{ kpis: ['plays', 'dau'] }, {}],
  [{ kpis: [] }, {}],
  [{ kpis: ['plays', 'gone'] }, { kpis: 'Tidewatch has no KPI gone' }],
  [{ kpis: ['plays'], window: '2m' }, { window: '2 min is not kept: choose 5 min, 1 h, Business day' }],
  [{ kpis: ['plays'], window: 'odd' }, { window: 'odd is not kept: choose 5 min, 1 h, Business day' }],
  [{ kpis: ['plays'], by: ['region'] }, { by: 'Not kept by Region' }],
  [{ kpis: ['lifecycle'], by: ['state'] }, {}],
  [{ kpis: ['ctr'], by: ['device', 'channel'] }, {}],
  [{ kpis: ['plays'], filters: [douyin] }, {}],
  [{ kpis: ['plays'], by: ['device'], filters: [douyin] }, { filters: ['Not kept by Channel beside Device'] }],
  [{ kpis: ['plays'], filters: [{ ...douyin, field: 'region' }] }, { filters: ['Not kept by Region'] }],
  [{ kpis: ['plays'], filters: [{ ...douyin, field: 'region', values: [] }] }, {}],
  [
    { kpis: ['plays'], show: 'triangle' },
    { show: 'A triangle needs KPIs whose days are final later, such as retention' },
  ],
  [{ kpis: ['plays'], value: 'denominator' }, { value: 'Not every KPI here has: Denominator' }],
  [{ kpis: ['plays'], bounds: true }, { bounds: 'None of these KPIs has bounds' }],
  [{ kpis: ['plays'], minor: true }, { minor: 'None of these KPIs is an amount' }],
  [{ kpis: ['plays'], show: 'table', live: true }, { live: 'Only series and the latest value of the live window are live' }],
  [{ kpis: ['plays'], show: 'latest', live: true }, {}],
  [{ kpis: ['plays'], show: 'table', closed: true }, {}],
  [
    { kpis: ['plays'], show: 'latest', closed: true, live: true },
    { live: 'Only series and the latest value of the live window are live' },
  ],
  [{ kpis: ['plays'], closed: true }, { closed: 'Series have only what is over' }],
  [
    { kpis: ['retention_d1'], show: 'triangle', compare: ['yesterday'], top: 3 },
    { compare: 'Not in a triangle', top: 'Not in a triangle' },
  ],
  [{ kind: 'revisions', kpis: ['plays'], show: 'triangle', bounds: true }, {}],
  [{ kind: 'revisions', kpis: ['plays'], window: '1h' }, {}],
  [{ kind: 'users', segment: 'at_risk', filters: [douyin] }, {}],
  [
    { kind: 'users', segment: 'at_risk', filters: [douyin, { ...douyin, field: 'device' }] },
    { filters: [undefined, 'Users cannot be chosen by Device'] },
  ],
  [{ kind: 'alerts', kpis: ['gone'] }, {}],
  [{ kind: 'freshness', kpis: ['gone'] }, {}],
] as const) {
  test(`what is wrong with ${JSON.stringify(query)}`, () => {
    assert.deepEqual(misfits(query as unknown as Partial<Query>), want);
  });
}

test('KPIs without a window in common are left their own', () => {
  const moving = { ...catalogue[0]!, windows: ['5m'] };
  const daily = catalogue.find(({ name }) => name === 'dau')!;
  const query: Query = { refId: 'A', kpis: ['plays', 'dau'], window: '5m' };
  assert.match(misfitsOf(query, [moving, daily], 'en').window ?? '', /no window in common/);
  assert.deepEqual(misfitsOf({ refId: 'A', kpis: ['plays', 'dau'] }, [moving, daily], 'en'), {});
});

test('without a KPI over active days there are no users', () => {
  const query: Query = { refId: 'A', kind: 'users', segment: 'at_risk' };
  assert.equal(misfitsOf(query, catalogue.slice(0, 1), 'zh').segment, '需要有基于活跃日的指标才有用户');
});
