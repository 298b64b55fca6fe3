import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert, Silence } from '../src/api.ts';
import { inZone } from '../src/format.ts';
import { lengths, matchersText, scopesOf, silenceOf, untilText } from '../src/matchers.ts';
import { lengthText, scopeText } from '../src/sheet.ts';
import { heldText } from '../src/silences.ts';

inZone('Asia/Shanghai');
const labels = { alertname: 'Low', by: 'channel', channel: 'douyin', team: 'ads', window: '5m' };
const now = Date.UTC(2026, 10, 22, 4);
const matcher = (name: string, value: string, isRegex = false, isEqual = true) => ({ name, value, isRegex, isEqual });

test('an alert is silenced alone, with its group or with its rule', () => {
  const names = (groups: Parameters<typeof scopesOf>[1]) => scopesOf({ labels }, groups).map((scope) => [scope.name, scope.labels]);
  assert.deepEqual(names([]), [['alert', labels], ['rule', { alertname: 'Low' }]]);
  const of = (group: Record<string, string>, own = labels) => ({ labels: group, alerts: [{ labels: own }] });
  assert.deepEqual(names([of({}), of({ team: 'ads' }), of({ team: 'x' }, { ...labels, channel: 'x' })]), [
    ['alert', labels],
    ['group', { team: 'ads' }],
    ['rule', { alertname: 'Low' }],
  ]);
  // Of one that is alone in its group, or whose group is its rule, there is no more to choose.
  assert.equal(names([of(labels), of({ alertname: 'Low' })]).length, 2);
});

test('what a silence is of says how many alerts of it fire, and are pending', () => {
  const alert = (state: string, channel: string) => ({ state, labels: { ...labels, channel } }) as unknown as Alert;
  const all = [alert('firing', 'douyin'), alert('firing', 'wechat'), alert('pending', 'bili')];
  const rule = { name: 'rule', labels: { alertname: 'Low' } } as const;
  assert.equal(scopeText(rule, all, 'en'), 'All of Low (2 firing · 1 pending)');
  assert.equal(scopeText(rule, all, 'zh'), 'Low 的全部告警 (2 条触发 · 1 条待定)');
  assert.equal(scopeText(rule, all.slice(0, 1), 'en'), 'All of Low (1 firing)');
  assert.equal(scopeText(rule, all.slice(2), 'en'), 'All of Low (1 pending)');
  assert.equal(scopeText(rule, [], 'en'), 'All of Low');
  assert.equal(scopeText({ name: 'group', labels: { team: 'ads' } }, all, 'en'), 'Its group: team ads (2 firing · 1 pending)');
  assert.equal(scopeText({ name: 'alert', labels }, all, 'en'), 'This alert');
});

test('a silence lasts as long as was chosen, by the clock of the service', () => {
  const draft = { labels: { alertname: 'Low' }, author: 'ann', comment: 'seen' };
  const two = silenceOf({ ...draft, length: '2' }, now);
  assert.deepEqual(two, {
    matchers: [matcher('alertname', 'Low')],
    startsAt: '2026-11-22T04:00:00.000Z',
    endsAt: '2026-11-22T06:00:00.000Z',
    createdBy: 'ann',
    comment: 'seen',
  });
  assert.equal(untilText(two, 'en', now), 'until 14:00:00 UTC+8');
  const resolved = silenceOf({ ...draft, length: 'resolved' }, now);
  assert.deepEqual(resolved.annotations, { until: 'resolved' });
  assert.equal(resolved.endsAt, '2026-12-22T04:00:00.000Z');
  assert.equal(untilText(resolved, 'zh', now), '直至恢复');
});

test('what is silenced is written as alerts are, unless it is no one label set', () => {
  const all = Object.entries(labels).map(([name, value]) => matcher(name, value));
  assert.equal(matchersText(all, 'en'), 'Low · douyin · 5 min · team ads');
  assert.equal(matchersText([matcher('alertname', 'Low'), matcher('channel', 'd.*', true), matcher('team', 'x', false, false)], 'en'), 'alertname=Low · channel=~d.* · team!=x');
  assert.equal(matchersText([matcher('team', 'x', true, false)], 'en'), 'team!~x');
});

test('every length has its words', () => {
  assert.deepEqual(
    lengths.slice(1).map((one) => lengthText(one, 'en')),
    ['30 min', '2 h', '8 h', '1 d', '7 d'],
  );
});

test('why nobody is told of an alert is said', () => {
  const silence = { id: '1', createdBy: 'ann', comment: 'known', endsAt: '2026-11-22T06:00:00.000Z' } as unknown as Silence;
  const held = (more: Partial<Alert>, silences = [silence]) => heldText(more as Alert, silences, 'en', now);
  assert.equal(held({}), '');
  assert.equal(held({ silenced_by: ['1'] }), 'Silenced by ann, until 14:00:00 UTC+8: known');
  assert.equal(held({ silenced_by: ['2'] }), 'Silenced', 'a silence that is not listed yet');
  assert.equal(held({ inhibited_by: ['f'], muted_by: ['night', 'weekend'] }), 'Held back by another alert Held back at this hour (night, weekend)');
  assert.equal(held({ inhibited_by: ['e', 'f'], inhibited_by_rules: ['ServiceDown', 'Down'] }), 'Held back by ServiceDown, Down');
});
