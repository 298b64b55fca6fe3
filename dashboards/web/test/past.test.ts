import assert from 'node:assert/strict';
import test from 'node:test';
import type { Episode } from '../src/api.ts';
import { inZone } from '../src/format.ts';
import { lastedText, toldText } from '../src/past.ts';

inZone('Asia/Shanghai');

const episode = (more: Partial<Episode>): Episode => ({
  id: '1',
  group: 'g',
  rule: 'Low',
  state: 'resolved',
  labels: {},
  fired_at: '2026-11-22T04:00:00.000Z',
  resolved_at: '2026-11-22T04:05:30.000Z',
  corrected: false,
  annotations: {},
  resolved_annotations: null,
  silenced_by: [],
  inhibited_by: [],
  muted_by: [],
  told: [],
  ...more,
});
const told = (receiver: string, outcome: 'delivered' | 'failed', status: Episode['told'][number]['status'] = 'firing') => ({
  receiver,
  status,
  outcome,
  at: '2026-11-22T04:20:00.000Z',
  error: '',
});

test('who was told that an alert fired is said, and if nobody was, why', () => {
  const say = (more: Partial<Episode>) => toldText(episode(more), 'en', Date.UTC(2026, 10, 22, 5));
  assert.equal(say({}), 'nobody was told');
  assert.equal(say({ told: [told('a', 'delivered'), told('b', 'delivered'), told('a', 'delivered', 'resolved')] }), 'told a, b');
  assert.equal(say({ told: [told('a', 'failed'), told('a', 'delivered', 'resolved')] }), 'did not reach a');
  const corrected = [told('a', 'delivered'), told('a', 'delivered', 'resolved'), told('a', 'delivered', 'corrected')];
  assert.equal(say({ told: corrected, corrected: true }), 'told a · then corrected at 12:20:00 to a');
  const missed = [told('a', 'delivered'), told('a', 'failed', 'corrected')];
  assert.equal(say({ told: missed, corrected: true }), 'told a · the correction did not reach a');
  assert.equal(say({ silenced_by: ['1'], inhibited_by: ['2'] }), 'Silenced');
  assert.equal(say({ told: [told('a', 'delivered')], muted_by: ['night'] }), 'told a · Held back at this hour (night)');
});

test('for how long an alert fired is said', () => {
  assert.equal(lastedText(episode({}), 'en'), '5.5 min');
  assert.equal(lastedText(episode({ resolved_at: null }), 'zh'), '触发');
});
