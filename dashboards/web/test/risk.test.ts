import assert from 'node:assert/strict';
import test from 'node:test';
import type { Definition, Person, Sample, User } from '../src/api.ts';
import { inZone } from '../src/format.ts';
import type { Figure } from '../src/model.ts';
import { linesOf } from '../src/person.ts';
import { channelsOf, hasRisk, newRisk, riskQuery, seenText } from '../src/risk.ts';

const user = (more: Partial<User> = {}): User => ({
  user_id: 'u71',
  state: 'at_risk',
  since: '2026-11-26',
  first_seen: '2026-10-30',
  last_seen: '2026-11-22',
  days_away: 5,
  usual_gap_days: 2,
  active_days_28: 11,
  channel: 'douyin',
  ...more,
});

test('users at risk are listed where the catalogue has them', () => {
  const define = (name: string) => new Map([[name, { name, by: [[]], windows: ['day'] } as unknown as Definition]]);
  assert.ok(hasRisk({ definitions: define('at_risk_users') }));
  assert.ok(!hasRisk({ definitions: define('churned_users') }));
  assert.ok(!hasRisk({ definitions: new Map() }), 'before it is known');
});

test('twenty are asked for, then twenty more behind them, then as many as are listed', () => {
  const users = Array.from({ length: 40 }, () => user());
  const asked = { ...newRisk('douyin'), users, next: 'u9' };
  assert.deepEqual(riskQuery(newRisk()), { segment: 'at_risk', limit: '20' });
  assert.deepEqual(riskQuery(asked, true), { segment: 'at_risk', channel: 'douyin', limit: '20', cursor: 'u9' });
  assert.deepEqual(riskQuery(asked), { segment: 'at_risk', channel: 'douyin', limit: '40' });
  assert.equal(riskQuery({ ...asked, users: Array.from({ length: 1_020 }, () => user()) })['limit'], '1000');
});

test('the channels of most users come first; the one that is chosen stays', () => {
  const sample = (channel: string, value: number) => ({ labels: { channel }, value }) as unknown as Sample;
  const figure = { answer: { samples: [sample('wechat', 3), sample('(none)', 9), sample('__other__', 20)] }, warnings: [] } as unknown as Figure;
  assert.deepEqual(channelsOf(figure, ''), ['(none)', 'wechat']);
  assert.deepEqual(channelsOf(figure, 'douyin'), ['(none)', 'wechat', 'douyin']);
  assert.deepEqual(channelsOf({ warnings: [] }, ''), []);
});

test('a row says the rhythm, the day and the channel, as far as they are known', () => {
  assert.equal(seenText(user(), 'en'), 'usually back within 2 days · last seen 2026-11-22 · douyin');
  assert.equal(seenText(user({ usual_gap_days: null, channel: null }), 'zh'), '尚无规律 · 最近活跃 2026-11-22 · 无渠道');
  const { channel: _, ...without } = user({ usual_gap_days: 1 });
  assert.equal(seenText(without, 'en'), 'usually back within 1 day · last seen 2026-11-22');
});

test('a user is explained by what the service tells', () => {
  const person: User & Partial<Person> = {
    ...user({ since: null, region: null, rfm: { r: 3, f: 2, m: 4, segment: 'important_development' } }),
    at_risk_after_days: 3,
    churned_after_days: 29,
    gaps: [1, 2, 1],
    identities: ['cookie-1', 'cookie-2'],
    last_touch: { attribution: { touch: 'click', time: '2026-11-22T01:02:03.456Z', campaign_id: 'spring', content_id: null } },
  };
  inZone('Asia/Shanghai');
  assert.deepEqual(linesOf(person, 'en'), [
    ['State', 'At risk'],
    ['Away', '5 days away'],
    ['Thresholds', 'at risk after 3 days away, churned after 29'],
    ['Rhythm', 'usually back within 2 days'],
    ['Last gaps, in days', '1 · 2 · 1'],
    ['Active days', '11 of the last 28'],
    ['First seen', '2026-10-30'],
    ['Last active', '2026-11-22'],
    ['Channel', 'douyin'],
    ['RFM', 'Important, development · R 3 · F 2 · M 4'],
    ['Last touch', 'Click · 2026-11-22 09:02:03 · Campaign spring'],
    ['Anonymous ids', 'cookie-1, cookie-2'],
  ]);
  const several = { attribution: null, clicks: { touch: 'view', time: '2026-11-22T01:02:03.456Z', campaign_id: null } };
  assert.deepEqual(linesOf({ ...user(), last_touch: several }, 'zh').at(-1), ['最近触点 · clicks', '曝光 · 2026-11-22 09:02:03']);
  assert.deepEqual(linesOf(user(), 'zh')[0], ['状态', '流失风险 · 始于 2026-11-26'], 'before it is explained');
});
