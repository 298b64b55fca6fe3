import assert from 'node:assert/strict';
import test from 'node:test';
import { whenText } from '../src/focus.ts';
import { inZone } from '../src/format.ts';

inZone('Asia/Shanghai');
const now = Date.UTC(2026, 10, 23, 4);

for (const [window, end, want] of [
  ['today', Date.UTC(2026, 10, 22, 15, 50), 'Day so far · 2026-11-22 to 23:50:00 UTC+8'],
  ['today', Date.UTC(2026, 10, 22, 16), 'Day so far · 2026-11-22 to 24:00:00 UTC+8'],
  ['today', Date.UTC(2026, 10, 22, 16, 10), 'Day so far · 2026-11-23 to 00:10:00 UTC+8'],
  ['day', Date.UTC(2026, 10, 22, 16), '2026-11-22'],
  ['today', null, 'Day so far'],
] as const) {
  test(`${window} up to ${end === null ? 'now' : new Date(end).toISOString()} is ${want}`, () => {
    assert.equal(whenText(window, end, 'en', now), want);
  });
}
