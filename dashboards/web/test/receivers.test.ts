import assert from 'node:assert/strict';
import test from 'node:test';
import type { Receiver } from '../src/api.ts';
import { inZone } from '../src/format.ts';
import { isFailing, routedText, standingText, trialText } from '../src/receivers.ts';

inZone('Asia/Shanghai');
const now = Date.UTC(2026, 10, 22, 4);
const time = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
const hook = { name: 'ops', owed: 0, last_success: null, last_failure: null, last_error: '' };

test('how a receiver fares is what went well, and what went wrong since', () => {
  assert.equal(standingText(hook, 'en', now), 'nothing delivered yet');
  const mended = { ...hook, last_success: time(-1), last_failure: time(-2), last_error: 'answered 404' };
  assert.equal(standingText(mended, 'en', now), 'delivered 11:59:00');
  const broken = { ...hook, owed: 3, last_success: time(-2), last_failure: time(-1), last_error: 'answered 404' };
  assert.equal(standingText(broken, 'en', now), 'delivered 11:58:00 · failed 11:59:00: answered 404 · 3 waiting');
  assert.deepEqual([hook, mended, broken].map(isFailing), [false, false, true]);
});

test('what came of a test is said in words', () => {
  assert.equal(trialText({ integration: 'ops', outcome: 'delivered', error: '' }, 'zh', now), '测试已送达');
  assert.equal(trialText({ integration: 'ops', outcome: 'failed', error: 'answered 404' }, 'en', now), 'Test failed: answered 404');
});

test('what leads to a receiver, and on from it, is said', () => {
  const one = { name: 'ops', default: true, routed: true, integrations: [hook], fallback: '', fallback_after: '' };
  const desk = { ...one, name: 'desk', default: false, routed: false };
  const say = (receiver: Receiver, ...others: Receiver[]) => routedText(receiver, [receiver, ...others], 'en');
  assert.equal(say({ ...one, integrations: [] }), 'no webhook or robot');
  assert.equal(say(one), 'default');
  assert.equal(say({ ...one, default: false }), '');
  assert.equal(say(desk, one), 'no route leads here');
  const backed = { ...one, fallback: 'desk', fallback_after: '1h30m' };
  assert.equal(say(backed, desk), 'default · falls back to desk after 1 h 30 min');
  assert.equal(say(desk, backed), 'fallback of ops');
});
