import assert from 'node:assert/strict';
import test from 'node:test';
import type { Answer } from '../src/api.ts';
import { matureText } from '../src/horizon.ts';

test('of a day that is over and open it is said how much is in, if that is known', () => {
  const end = '2026-01-06T16:00:00.000Z';
  const day = { window: 'day', end, watermark: end, complete: false } as Answer;
  const said = (maturity: number | null | undefined, other: Partial<Answer> = {}) =>
    matureText({ ...day, ...(maturity === undefined ? {} : { maturity }), ...other }, 'en');
  assert.equal(said(0.63), '63% of what is expected is in');
  assert.equal(matureText({ ...day, maturity: 0.63 }, 'zh'), '预计已到 63%');
  assert.equal(said(0.29), '29% of what is expected is in'); // 28.999999999999996 %
  assert.equal(said(0.999), '99% of what is expected is in');
  assert.equal(said(0), '0% of what is expected is in');
  assert.equal(said(1), '100% of what is expected is in');
  assert.equal(said(null), undefined);
  assert.equal(said(undefined), undefined);
  assert.equal(said(1, { complete: true }), undefined);
  assert.equal(said(0, { watermark: '2026-01-06T15:59:59.000Z' }), undefined);
});
