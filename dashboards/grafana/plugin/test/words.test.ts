import assert from 'node:assert/strict';
import test from 'node:test';
import { describe } from '../src/summary.ts';
import { fieldsName, langOf, say, segmentName, windowName } from '../src/words.ts';

test('windows are said in words, what is none is left as it is', () => {
  const said = (window: string) => [windowName(window, 'en'), windowName(window, 'zh')];
  assert.deepEqual(said('5m'), ['5 min', '5 分钟']);
  assert.deepEqual(said('24h'), ['24 h', '24 小时']);
  assert.deepEqual(said('30d'), ['30 days', '30 天']);
  assert.deepEqual(said('day'), ['Business day', '自然日']);
  assert.deepEqual(said('today'), ['Today so far', '当日累计']);
  assert.deepEqual(said('$span'), ['$span', '$span']);
});

test('breakdowns are said by their fields', () => {
  assert.equal(fieldsName([], 'en'), 'Total');
  assert.equal(fieldsName(['channel', 'own_field'], 'zh'), '渠道 × own_field');
});

test('segments are said in words', () => {
  assert.equal(segmentName('at_risk', 'en'), 'At risk');
  assert.equal(segmentName('important_value', 'zh'), '重要价值客户');
  assert.equal(segmentName('$segment', 'zh'), '$segment');
});

test('what a text has no value for stays in sight', () => {
  assert.equal(say('en', 'by_not_kept'), 'Not kept by {by}');
});

test('Chinese is spoken with who speaks it', () => {
  assert.deepEqual(['zh-Hans', 'zh-CN', 'en-US', 'de', '', undefined].map(langOf), [
    'zh',
    'zh',
    'en',
    'en',
    'en',
    'en',
  ]);
});

test('a query is told in a line', () => {
  const told = (query: object) => describe({ refId: 'A', ...query }, 'en');
  assert.equal(told({ kpis: ['plays', 'ctr'], window: '5m', by: ['channel'] }), 'plays, ctr · 5 min · Channel');
  assert.equal(told({ kind: 'revisions', kpis: ['plays'] }), 'Restatements · plays');
  assert.equal(told({ kind: 'users', segment: 'churned', active: '2026-11-01' }), 'Users · Churned · 2026-11-01');
  assert.equal(told({ kind: 'alerts' }), 'Alerts');
  assert.equal(told({ kind: 'freshness' }), 'Freshness');
});
