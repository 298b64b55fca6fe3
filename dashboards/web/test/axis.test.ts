import assert from 'node:assert/strict';
import test from 'node:test';
import type { Mark } from '../src/axis.ts';
import { axisOf, marksIn, niceRange, remember, span } from '../src/axis.ts';

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

test('what the page has seen is one value in five seconds, the newest always', () => {
  let seen: Mark[] = [];
  for (let second = 0; second <= 23; second++) seen = remember(seen, at(second * 1_000, second));
  assert.deepEqual(
    seen.map((mark) => mark.value),
    [0, 5, 10, 15, 20, 23],
  );
});

test('what the page has seen leaves with the axis', () => {
  const seen = remember([at(0), at(60_000)], at(span + 30_000));
  assert.deepEqual(
    seen.map((mark) => mark.end),
    [60_000, span + 30_000],
  );
});

test('a watermark that went back is another stream', () => {
  assert.deepEqual(remember([at(50_000)], at(20_000)), [at(20_000)]);
});

test('an unchanged watermark keeps the newest value once', () => {
  assert.deepEqual(remember([at(1, 1)], at(1, 2)), [at(1, 2)]);
});

test('a quiet line looks quiet, and zero stays at the bottom', () => {
  assert.deepEqual(niceRange(0, 0), [0, 1]);
  const [low, high] = niceRange(1000, 1000);
  assert.ok(low < 1000 && high > 1000 && high - low >= 20);
  assert.equal(niceRange(0, 5)[0], 0);
  assert.ok(niceRange(100, 200)[1] > 200);
});
