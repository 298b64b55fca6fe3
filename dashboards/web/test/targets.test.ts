import assert from 'node:assert/strict';
import test from 'node:test';
import { describeTargets, levelOf, wordOf } from '../src/targets.ts';

type Aimed = NonNullable<Parameters<typeof levelOf>[0]>;

const share = (good?: number, bad?: number): Aimed => ({
  ratio: true,
  unit: 'percent',
  targets: { ...(good === undefined ? {} : { good }), ...(bad === undefined ? {} : { bad }) },
});
const level = (kpi: Aimed, value: number | null, window = '5m', complete = false, n = 100) =>
  levelOf(kpi, window, { value, complete, n });

test('where higher is better', () => {
  const kpi = share(0.5, 0.3);
  assert.deepEqual(
    [0.6, 0.5, 0.4, 0.3, 0.2, null].map((value) => level(kpi, value)),
    ['good', 'good', 'fair', 'bad', 'bad', undefined],
  );
  assert.equal(describeTargets(kpi, 'en'), 'Good from 50.0% up\nBad from 30.0% down');
});

test('where lower is better', () => {
  const kpi = share(0.01, 0.02);
  assert.deepEqual(
    [0, 0.01, 0.015, 0.02].map((value) => level(kpi, value)),
    ['good', 'good', 'fair', 'bad'],
  );
  assert.equal(describeTargets(kpi, 'zh'), '1.00% 及以下为良好\n2.00% 及以上为不佳');
});

test('one level alone', () => {
  assert.deepEqual(
    [0.5, 0.4].map((value) => level(share(0.5), value)),
    ['good', 'fair'],
  );
  assert.deepEqual(
    [0.5, 0.4].map((value) => level(share(undefined, 0.4), value)),
    [undefined, 'bad'],
  );
  assert.equal(levelOf(undefined, '5m', { value: 1, complete: true, n: 100 }), undefined);
});

test('a ratio of few has no level', () => {
  assert.equal(level(share(0.5, 0.3), 0, '5m', true, 29), undefined);
  assert.equal(level(share(0.5, 0.3), 0, '5m', true, 30), 'bad');
});

test('a count has a level once the day is over', () => {
  const sales: Aimed = { ...share(1000, 500), ratio: false, unit: 'count' };
  assert.equal(level(sales, 2000, '5m', true), undefined);
  assert.deepEqual(
    [400, 700, 1000].map((value) => level(sales, value, 'day')),
    [undefined, undefined, undefined],
  );
  assert.deepEqual(
    [400, 700, 1000].map((value) => level(sales, value, 'day', true)),
    ['bad', 'fair', 'good'],
  );
});

test('a level has a word in both languages', () => {
  assert.deepEqual([wordOf('good', 'en'), wordOf('fair', 'en'), wordOf('bad', 'zh'), wordOf(undefined, 'en')], [
    'on target',
    'off target',
    '严重未达标',
    '',
  ]);
});
