import assert from 'node:assert/strict';
import test from 'node:test';
import type { Mark } from '../src/axis.ts';
import { axisAround, axisOf, coarseStep, inCurrency, lengthOf, marksIn, niceRange, stepOf } from '../src/axis.ts';

const at = (end: number, value: number | null = 1): Mark => ({ end, value });

test('the axis ends at the watermark, whatever the clock says', () => {
  const watermark = Date.UTC(2017, 11, 3, 15, 59);
  assert.deepEqual(axisOf(watermark), { from: watermark - 15 * 60_000, to: watermark });
});

test('marks are in order, within the axis, one an instant; a null stays a gap', () => {
  const axis = { from: 10, to: 20 };
  const marks = [at(20), at(9), at(15, null), at(21), at(10), at(20, 7)];
  assert.deepEqual(marksIn(marks, axis), [at(10), at(15, null), at(20, 7)]);
});

test('the axis of days has thirty of them, the last is today, which ends after the watermark', () => {
  const day = 86_400_000;
  const watermark = Date.UTC(2026, 10, 22, 2); // 10:00 in Shanghai
  const today = Date.UTC(2026, 10, 22, 16);
  const ends = Array.from({ length: 40 }, (_, back) => at(today - back * day));
  const shown = marksIn(ends, axisOf(watermark, true));
  assert.equal(shown.length, 30);
  assert.equal(shown.at(-1)?.end, today);
});

test('a moment is seen with what led to it, and no further than the watermark', () => {
  const watermark = Date.UTC(2026, 10, 22, 2);
  const minute = 60_000;
  assert.deepEqual(axisAround(watermark - 60 * minute, watermark, '5m'), {
    from: watermark - 80 * minute,
    to: watermark - 50 * minute,
  });
  assert.deepEqual(axisAround(watermark, watermark, '1m'), axisOf(watermark));
  assert.deepEqual(axisAround(watermark, watermark, 'day'), axisOf(watermark, true));
  assert.deepEqual(axisAround(watermark, watermark, 'today'), { from: watermark - 2 * 24 * 60 * minute, to: watermark });
});

test('the step of a window is that of the service', () => {
  const seconds = ['1s', '1m', '5m', '15m', '1h', '24h', '7d', '30d', 'today'].map((window) => stepOf(window) / 1_000);
  assert.deepEqual(seconds, [1, 1, 5, 10, 60, 600, 3600, 3600, 600]);
  assert.equal(lengthOf('90d'), 90 * 86_400_000);
  assert.equal(lengthOf('day'), undefined);
  assert.equal(coarseStep('5m', 15 * 60_000, 36), 25_000);
  assert.equal(coarseStep('24h', 60_000, 36), 600_000);
});

test('amounts of other currencies are not drawn on one axis', () => {
  const marks = ['CNY', 'JPY', undefined].map((currency, end) => ({
    end,
    value: 5,
    ...(currency ? { currency } : {}),
  }));
  assert.deepEqual(
    inCurrency(marks, 'CNY').map(({ value }) => value),
    [5, null, 5],
  );
  assert.deepEqual(inCurrency(marks, undefined), marks);
});

test('a quiet line looks quiet, and zero stays at the bottom', () => {
  assert.deepEqual(niceRange(0, 0, 1), [0, 1]);
  assert.deepEqual(niceRange(0, 0, 100), [0, 100]);
  const [low, high] = niceRange(1000, 1000, 1);
  assert.ok(low < 1000 && high > 1000 && high - low >= 20);
  assert.deepEqual(niceRange(1, 1, 1), [0, 2]);
  assert.equal(niceRange(0, 5, 1)[0], 0);
  assert.ok(niceRange(100, 200, 1)[1] > 200);
});
