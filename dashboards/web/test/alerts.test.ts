import assert from 'node:assert/strict';
import test from 'node:test';
import { briefOf, failing, isHeld, listedText, meantAlerts, overText, quietOf, refusedText, untoldOf, valueOf, word, worthShowing } from '../src/alerts.ts';
import type { Alert, Definition, Delivery, Rule, Silence, Subject } from '../src/api.ts';
import { inZone } from '../src/format.ts';
import { labelsOf } from '../src/labels.ts';
import { newModel } from '../src/model.ts';
import { heldText, isAcknowledged } from '../src/silences.ts';

inZone('Asia/Shanghai');

const definitions = new Map([['ctr', { name: 'ctr' } as Definition]]);

test('an alert says which series it is about, in which window, and what its rule adds', () => {
  const labels = { alertname: 'Low', by: 'channel,device', channel: 'douyin', device: '(none)', severity: 'page', window: '1m' };
  assert.equal(labelsOf(labels, 'en'), 'douyin · (none) · 1 min · severity page');
  assert.equal(labelsOf({ alertname: 'Low', by: 'total', window: 'day' }, 'zh'), '今日');
});

test('a state that the page has no word for is said in its own', () => {
  assert.deepEqual([word('zh', 'no_data'), word('en', 'delayed'), word('en', 'waiting_for_lanes')], ['无数据', 'Delayed', 'waiting for lanes']);
});

test('nobody is told of an alert that anything holds back', () => {
  const alert = (more: Partial<Alert>) => isHeld({ rule: 'Low', ...more } as Alert);
  assert.deepEqual([alert({}), alert({ silenced_by: [], muted_by: [] }), alert({ silenced_by: ['1'] }), alert({ muted_by: ['night'] })], [false, false, true, true]);
});

test('an alert that somebody looks after says who does, and until when', () => {
  const silence = { id: '1', createdBy: 'ann', comment: 'on it', endsAt: '2026-11-22T12:00:00.000Z' } as Silence;
  const acknowledgement = { ...silence, annotations: { until: 'resolved' } };
  const alert = { silenced_by: ['1'] } as Alert;
  assert.deepEqual([isAcknowledged(alert, [silence]), isAcknowledged(alert, [acknowledgement]), isAcknowledged({}, [acknowledgement])], [false, true, false]);
  assert.equal(heldText(alert, [acknowledgement], 'en', now), 'Acknowledged by ann, until resolved: on it');
  assert.equal(heldText(alert, [silence], 'en', now), 'Silenced by ann, until 20:00:00 UTC+8: on it');
});

test('the alerts that are meant are about that very series, or the one that a link names', () => {
  const rules = ['Low', 'Lower'].map((name) => ({ group: 'g', name, expr: 'kpi_ctr{by="channel",window="5m"} < 1', labels: {} }) as Rule);
  const alert = (id: string, rule: string, channel: string) =>
    ({ id, group: 'g', rule, state: 'firing', labels: { by: 'channel', channel }, annotations: {} }) as unknown as Alert;
  const alerts = { alerts: [alert('1', 'Low', 'a'), alert('2', 'Low', 'b'), alert('3', 'Lower', 'b')], rules, deliveries: [] };
  const at = (channel: string, more = {}) => ({ ...newModel('en'), alerts, definitions, address: { kpi: 'ctr', by: ['channel'], labels: { channel }, ...more } });
  const meant = (channel: string, more = {}) => meantAlerts(at(channel, more)).map(({ id }) => id).join();
  assert.equal(meant('b'), '2,3');
  assert.equal(meant('b', { alert: '3' }), '3');
  assert.equal(meant('b', { alert: 'gone' }), '2,3');
  assert.equal(meant('c'), '');
  assert.equal(meant('b', { labels: {} }), '');
  assert.equal(meant('b', { by: [], labels: {} }), '');
  assert.equal(meant('b', { kpi: 'plays' }), '');
  assert.deepEqual([at('b'), at('b', { alert: '3' }), at('b', { alert: 'gone' })].map(overText), ['', '', 'The alert of this link is over.']);
  assert.equal(overText({ ...at('b', { alert: 'gone' }), alerts: { ...alerts, firing: 4 } }), '', 'it may be the one that is not listed');
});

test('that nobody is told of alerts is plain', () => {
  const model = newModel('en');
  const alerts = { alerts: [], rules: [{} as Rule], deliveries: [] };
  assert.equal(untoldOf(model), '');
  assert.equal(untoldOf({ ...model, alerts }), '');
  assert.equal(untoldOf({ ...model, alerts: { ...alerts, receivers: [{ name: 'ops', owed: 0 }] } }), '');
  assert.match(untoldOf({ ...model, alerts: { ...alerts, receivers: [] } }), /^Nobody is told: /);
  assert.equal(untoldOf({ ...model, alerts: { ...alerts, rules: [], receivers: [] } }), '', 'nothing can fire');
});

test('that not all alerts are listed is said, and is not that nobody is told', () => {
  const alerts = { alerts: [{} as Alert], rules: [{} as Rule], deliveries: [], firing: 1, pending: 1 };
  assert.equal(listedText({ alerts, lang: 'en' }), '1 of 2 alerts are listed: firing rather than pending ones, and old rather than new ones.');
  assert.equal(untoldOf({ alerts, lang: 'en' }), '');
  assert.equal(listedText({ alerts: { ...alerts, pending: 0 }, lang: 'en' }), '');
});

test('that files were refused is said until good ones are read', () => {
  const reload = { succeeded_at: '2026-11-22T01:00:00.000Z', failed_at: null, error: '' };
  const alerts = { alerts: [], rules: [], deliveries: [], reload };
  const at = Date.UTC(2026, 10, 22, 4);
  assert.equal(refusedText({ lang: 'en', alerts: null }, at), '');
  assert.equal(refusedText({ lang: 'en', alerts }, at), '');
  const refused = { ...reload, failed_at: '2026-11-22T03:00:00.000Z', error: 'rules.yml:5: kpi_playz is no KPI' };
  const words = refusedText({ lang: 'en', alerts: { ...alerts, reload: refused } }, at);
  assert.match(words, /refused at 11:00:00 UTC\+8 .* still those of 09:00:00 UTC\+8\. .*: rules\.yml:5: kpi_playz is no KPI$/);
});

const delivery = (id: number, outcome: Delivery['outcome'], receiver = 'ops', undelivered = outcome !== 'delivered') =>
  ({ id: String(id), receiver, outcome, undelivered, error: outcome === 'delivered' ? '' : 'answered 404' }) as Delivery;

test('deliveries that did not get through stay in sight', () => {
  const all = [0, 1, 2, 3, 4, 5, 6, 7].map((id) => delivery(id, id === 6 ? 'failed' : 'delivered'));
  assert.deepEqual(
    worthShowing(all).map((one) => one.id),
    ['0', '1', '2', '3', '4', '6'],
  );
});

test('a receiver fails while its newest notification does not get through', () => {
  const all = [delivery(5, 'queued', 'mail'), delivery(4, 'queued'), delivery(3, 'delivered'), delivery(2, 'retrying', 'mail'), delivery(1, 'failed')];
  const names = (deliveries: Delivery[], ...receivers: string[]) =>
    failing({ deliveries, receivers: receivers.map((name) => ({ name, owed: 0 })) }).map((one) => one.receiver);
  assert.deepEqual(names(all, 'ops', 'mail'), ['mail']);
  assert.deepEqual(names(all, 'ops'), [], 'one that is gone');
  assert.deepEqual(names([delivery(6, 'failed', 'mail', false), ...all], 'ops', 'mail'), ['mail'], 'what a newer state has superseded');
  assert.deepEqual(names([delivery(1, 'failed', 'mail', false)], 'mail'), [], 'nothing is undelivered');
});

const now = Date.UTC(2026, 10, 22, 2);
for (const [what, rules, watermark, want] of [
  ['no rules', 0, now, 'No rules loaded'],
  ['no events', 2, null, 'No data yet'],
  ['numbers of now', 2, now - 2_000, 'All quiet'],
  ['numbers of an hour ago', 2, now - 36e5, 'Quiet at 09:00:00'],
] as const) {
  test(`without alerts and with ${what}: ${want}`, () => {
    const alerts = { alerts: [], rules: Array<Rule>(rules).fill({} as Rule), deliveries: [] };
    assert.equal(quietOf({ ...newModel('en'), alerts, watermark }, now)[0], want);
  });
}

test('what is pending is not quiet', () => {
  const alert = (state: string, more = {}) => ({ state, ...more }) as Alert;
  const brief = (alerts: Alert[], more = {}) => {
    const known = { alerts, rules: [{} as Rule], deliveries: [], receivers: [{ name: 'ops', owed: 0 }], ...more };
    return briefOf({ ...newModel('en'), alerts: known, watermark: now - 2_000 }, now);
  };
  assert.equal(brief([]), 'All quiet');
  assert.equal(brief([alert('pending'), alert('pending')]), '2 pending');
  assert.equal(brief([alert('firing'), alert('pending')]), '1 firing · 1 pending');
  assert.equal(brief([alert('firing', { silenced_by: ['1'] })], { firing: 3, pending: 4 }), '3 firing · 1 not told · 4 pending');
  assert.equal(brief([alert('firing')], { receivers: [] }), '1 firing · nobody is told');
});

for (const [value, labels, annotations, subject, want] of [
  [12_900, {}, { currency: 'CNY' }, { unit: 'money' }, '¥129.00 CNY'],
  [129, { currency: 'JPY' }, {}, { unit: 'money' }, '¥129 JPY'],
  [59_000, {}, {}, { unit: 'money', currency: 'JPY' }, '¥59,000 JPY'],
  [59_000, {}, {}, { unit: 'money', across: true }, '59,000 minor units, whatever the currency'],
  [12_900, {}, {}, { unit: 'money' }, '12,900 minor units'],
  [null, { currency: 'JPY' }, {}, { unit: 'money' }, '–'],
  [0.031, {}, { currency: 'CNY' }, { unit: 'percent' }, '3.10%'],
  [105, {}, { currency: 'CNY' }, undefined, '105'],
  [83.77, {}, {}, undefined, '83.77'],
] as [number | null, Record<string, string>, Record<string, string>, Subject | undefined, string][]) {
  test(`${value} is written as ${want}`, () => assert.equal(valueOf({ value, labels, annotations, ...(subject ? { subject } : {}) }, 'en'), want));
}
