import assert from 'node:assert/strict';
import test from 'node:test';
import { misfitsOf } from '../src/misfits.ts';
import { presetsOf } from '../src/presets.ts';
import { begin, isWhole } from '../src/query.ts';
import { catalogue } from './catalogue.ts';

test('presets are made of what the catalogue has', () => {
  assert.deepEqual(presetsOf(catalogue), [
    { name: 'retention', ask: { kpis: ['retention_d1', 'retention_d7'], window: 'day', show: 'triangle' } },
    { name: 'funnel', ask: { kpis: ['funnel'], window: '24h', show: 'latest' } },
    { name: 'lifecycle', ask: { kpis: ['lifecycle'], window: 'day' } },
    { name: 'at_risk', ask: { kind: 'users', segment: 'at_risk' } },
  ]);
});

test('nothing is offered that it has not', () => {
  assert.deepEqual(presetsOf(catalogue.slice(0, 3)), []);
});

test('a preset can be asked as it is', () => {
  for (const { name, ask } of presetsOf(catalogue)) {
    const query = begin({ refId: 'A' }, ask);
    assert.ok(isWhole(query), name);
    assert.deepEqual(misfitsOf(query, catalogue, 'en'), {}, name);
  }
});
