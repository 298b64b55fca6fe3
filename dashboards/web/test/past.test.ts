import assert from 'node:assert/strict';
import test from 'node:test';
import type { Episode } from '../src/api.ts';
import { addressOf } from '../src/address.ts';
import { inZone } from '../src/format.ts';
import { newModel } from '../src/model.ts';
import { lastedText, overturnedAt, overturnedText, toldText } from '../src/past.ts';

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
  assert.equal(say({ inhibited_by: ['2'], inhibited_by_rules: ['Down'] }), 'Held back by Down');
  assert.equal(say({ told: [told('a', 'delivered')], muted_by: ['night'] }), 'told a · Held back at this hour (night)');
});

test('for how long an alert fired is said', () => {
  assert.equal(lastedText(episode({}), 'en'), '5.5 min');
  assert.equal(lastedText(episode({ resolved_at: null }), 'zh'), '触发');
});

const link = 'http://tide.example/?at=2026-11-22T04%3A00%3A00.000Z&by=channel&channel=b&kpi=plays&window=1m#alert=a1';
const overturned = episode({
  corrected: true,
  corrected_at: '2026-11-22T04:12:00.000Z',
  labels: { by: 'channel', channel: 'b', window: '1m' },
  subject: { kpi: 'gmv_paid', unit: 'money' },
  annotations: { value: '17500', currency: 'CNY', link },
  resolved_annotations: { value: '52000', currency: 'CNY' },
});

test('a link is to an alert that should not have fired if it leads to its series, while it fired', () => {
  const of = (query: string, one = overturned) => overturnedAt(addressOf(query)!, [one]) !== undefined;
  const query = (change: (from: string) => string) => of(change(link.split('?')[1]!));
  assert.ok(query(String));
  assert.ok(query((from) => from.replace('04%3A00', '04%3A05')), 'while it fired');
  assert.ok(!query((from) => from.replace('04%3A00', '04%3A06')), 'when it was over');
  assert.ok(!query((from) => from.replace('04%3A00', '03%3A59')), 'before it fired');
  assert.ok(!query((from) => from.replace('channel=b', 'channel=c')), 'another series');
  assert.ok(!query((from) => from.replace('&channel=b', '')), 'all series');
  assert.ok(!query((from) => from.replace('window=1m', 'window=5m')), 'another window');
  assert.ok(!query((from) => from.replace('kpi=plays', 'kpi=ctr')), 'another KPI');
  assert.ok(!query((from) => from.replace(/at=[^&]*&/, '')), 'the present');
  assert.ok(!of(link.split('?')[1]!, { ...overturned, corrected: false }), 'one that was right');
});

test('what a link showed when it was sent, and what was found since, is said', () => {
  const now = Date.UTC(2026, 10, 22, 5);
  const model = newModel('en');
  assert.equal(overturnedText(model, now), '');
  model.address = addressOf(link.split('?')[1]!);
  model.focus = { figure: { warnings: [] }, others: { warnings: [] }, marks: [], band: [], past: [overturned] };
  const words = 'Low fired at 12:00:00 UTC+8 on ¥175.00 CNY. With the events that came late it was ¥520.00 CNY: corrected at 12:12:00 UTC+8, it should not have fired.';
  assert.equal(overturnedText(model, now), words);
});
