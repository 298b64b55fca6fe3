import assert from 'node:assert/strict';
import test from 'node:test';
import { bandOf, bandQueries, hasBand, usualAt } from '../src/band.ts';

test('windows of an hour have a band, lists of the largest have none', () => {
  assert.deepEqual([hasBand({ top: 0 }, '1h'), hasBand({ top: 0 }, '5m'), hasBand({ top: 20 }, '1h'), hasBand(undefined, '1h')], [true, false, false, false]);
});

test('the band of a series is asked for by its labels', () => {
  const address = { kpi: 'plays', by: ['channel'], labels: { channel: 'a "b" \\ c' } };
  const [low, high] = bandQueries(address, { from: 1_000_000, to: 2_000_100 });
  assert.deepEqual(low, { query: 'kpi_plays_band_low{by="channel",window="1h",channel="a \\"b\\" \\\\ c"}', start: '900', end: '2001', step: '300' });
  assert.match(high!['query']!, /^kpi_plays_band_high\{/);
  assert.match(bandQueries({ kpi: 'plays', by: [], labels: {} }, { from: 0, to: 1 })[0]!['query']!, /\{by="total",window="1h"\}$/);
});

const matrix = (values: [number, string][], currency?: string) => ({ result: [{ metric: currency ? { currency } : {}, values: values }] });

test('both ends are put together where both are known', () => {
  const low = matrix([[300, '1'], [600, '2']]);
  assert.deepEqual(bandOf(low, matrix([[300, '5'], [900, '9']]), undefined), [{ at: 300_000, low: 1, high: 5 }]);
  assert.deepEqual(bandOf({ result: [] }, { result: [] }, undefined), []);
});

test('amounts have the band of their currency', () => {
  const both = (a: string, b: string) => ({ result: [...matrix([[300, a]], 'JPY').result, ...matrix([[300, b]], 'CNY').result] });
  assert.deepEqual(bandOf(both('1', '2'), both('3', '4'), 'CNY'), [{ at: 300_000, low: 2, high: 4 }]);
});

test('what is usual stands until the next time, and no longer', () => {
  const band = [{ at: 300_000, low: 1, high: 2 }, { at: 600_000, low: 3, high: 4 }];
  assert.deepEqual([299_999, 300_000, 599_999, 700_000, 900_000].map((at) => usualAt(band, at)?.low), [undefined, 1, 1, 3, undefined]);
});
