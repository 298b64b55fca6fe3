import assert from 'node:assert/strict';
import test from 'node:test';
import type { Model } from '../src/model.ts';
import { newModel } from '../src/model.ts';
import { standingOf } from '../src/standing.ts';

const now = Date.UTC(2026, 10, 22, 10);
const second = 1_000;

for (const [what, model, want] of [
  ['numbers of now', { watermark: now - 3 * second }, 'live'],
  ['no stream', { watermark: now - 3 * second, streaming: false }, 'polling'],
  ['a message that has just come', { watermark: now - 3 * second, backlog: 1 }, 'live'],
  ['nothing received', {}, 'empty'],
  ['records of last year', { watermark: now - 365 * 86_400 * second }, 'old'],
  ['a quiet night', { watermark: now - 62 * second }, 'live'],
  ['a backlog', { watermark: now - 86_400 * second, backlog: 90 }, 'catching'],
  ['a service that recovers', { watermark: now, away: { reason: 'recovering', answers: true, since: now } }, 'waiting'],
  ['no service', { watermark: now, backlog: 90, away: { reason: 'no connection', answers: false, since: now } }, 'away'],
] as [string, Partial<Model>, string][]) {
  test(`${what}: ${want}`, () => {
    assert.equal(standingOf({ ...newModel('en'), streaming: true, ...model }, now), want);
  });
}
