import assert from 'node:assert/strict';
import test from 'node:test';
import { rowsOf } from '../src/stream.ts';

const minutes = (n: number) => ({ from: 0, to: n * 60_000 });

test('what a panel began with stays, and a row a second has room', () => {
  assert.equal(rowsOf(720, minutes(60)), 720 + 3600);
  assert.equal(rowsOf(0, minutes(1)), 60);
});

test('of many hours the rows are bounded', () => {
  assert.equal(rowsOf(1000, minutes(30 * 24 * 60)), 21_000);
});
