import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert, Alerts, Definition, Episode, Rule } from '../src/api.ts';
import { newModel } from '../src/model.ts';
import { firedAbout, kpiOf, ruleOf, seriesOf, spansOf } from '../src/spans.ts';

const definitions = new Map(['ctr', 'plays'].map((name) => [name, { name } as Definition]));
const rule = (name: string, expr: string) => ({ group: 'g', name, expr, labels: {} }) as Rule;
const rules = [
  rule('Low', 'kpi_ctr_high{by="channel"} < 0.1'),
  rule('None', 'kpi_plays == 0'),
  rule('Gone', 'kpi_gone > 1'),
];
const noon = Date.UTC(2026, 10, 22, 4);
const time = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();
const labels = { by: 'channel', channel: 'douyin' };
const episode = (name: string, channel: string, from: number, to: number | null, link = '') =>
  ({
    group: 'g',
    rule: name,
    labels: { by: 'channel', channel },
    fired_at: time(from),
    resolved_at: to === null ? null : time(to),
    annotations: { link },
  }) as unknown as Episode;

const alerts: Alerts = {
  rules,
  alerts: [
    { group: 'g', rule: 'Low', state: 'firing', labels, active_at: time(-3), fired_at: time(-2) } as unknown as Alert,
    { group: 'g', rule: 'Low', state: 'pending', labels: {}, active_at: time(-1) } as unknown as Alert,
    { group: 'g', rule: 'None', state: 'firing', labels: {}, active_at: time(-5), fired_at: null } as unknown as Alert,
  ],
  deliveries: [],
};
const past = [
  episode('Low', 'douyin', -2, null),
  episode('Low', 'kuaishou', -10, -8),
  episode('Gone', 'douyin', -10, -8),
  episode('Low', 'wechat', -40, -30),
  episode('Renamed', 'wechat', -50, -45, 'http://tide.example/?at=x&kpi=ctr'),
];

test('an alert is about the KPI whose series, bound or part its rule compares', () => {
  assert.equal(kpiOf({ group: 'g', rule: 'Low', labels: {} }, alerts, definitions), 'ctr');
  assert.equal(kpiOf({ group: 'g', rule: 'None', labels: {} }, alerts, definitions), 'plays');
  assert.equal(kpiOf({ group: 'g', rule: 'Gone', labels: {} }, alerts, definitions), undefined);
  assert.equal(kpiOf({ group: 'other', rule: 'Low', labels: {} }, alerts, definitions), undefined);
});

test('of rules of one name the alert is of the one whose labels it has', () => {
  const one = (expr: string, lasts: string, labels: Record<string, string>) => ({ group: 'g', name: 'Low', expr, for: lasts, labels }) as Rule;
  const of = (labels: Record<string, string>, ...rules: Rule[]) => ruleOf({ group: 'g', rule: 'Low', labels }, { ...alerts, rules });
  const page = one('kpi_ctr < 0.1', '1m', { severity: 'page' });
  const warn = one('kpi_ctr < 0.2', '5m', { severity: 'warn' });
  const plain = one('kpi_ctr < 0.3', '9m', {});
  const owned = one('kpi_ctr < 0.4', '9m', { severity: 'page', owner: '{{ $labels.channel }}' });
  const all = [plain, page, warn];
  assert.equal(of({ severity: 'page', by: 'total' }, ...all), page);
  assert.equal(of({ severity: 'warn', by: 'total' }, ...all), warn);
  assert.equal(of({ by: 'total' }, ...all), plain);
  assert.equal(of({ severity: 'page', owner: 'douyin' }, owned, warn), owned);
  assert.equal(of({ severity: 'info' }, page, warn), undefined);
  assert.equal(of({ severity: 'page' }, page, { ...page, for: '2m' }), undefined);
  assert.equal(of({ severity: 'page' }, page, { ...page, reason: 'another series' }), page);
});

test('alerts are shaded from when they fired until they were resolved, each once', () => {
  const spans = spansOf('ctr', { alerts, definitions }, past).map(({ from, to }) => [from - noon, to && to - noon]);
  assert.deepEqual(
    spans,
    [
      [-50, -45],
      [-40, -30],
      [-10, -8],
      [-2, null],
    ].map((span) => span.map((at) => at && at * 60_000)),
  );
  assert.deepEqual(
    spansOf('plays', { alerts, definitions }, past).map(({ from }) => from),
    [noon - 5 * 60_000],
  );
  assert.deepEqual(spansOf('ctr', { alerts: null, definitions }, []), []);
});

test('a trend names the alerts that it shows, with their series', () => {
  const model = { ...newModel('en'), alerts, definitions, watermark: noon, past: { alerts: past, next: null } };
  assert.equal(firedAbout('ctr', model), 'Low · kuaishou, douyin');
  assert.equal(firedAbout('plays', model), 'None');
  assert.equal(firedAbout('gone', model), '');
});

test('a series is named by the values that its rule breaks down by', () => {
  const two = { alertname: 'Low', by: 'channel,device', channel: 'douyin', device: '(none)', severity: 'page' };
  assert.equal(seriesOf(two, 'en'), 'douyin · (none)');
  assert.equal(seriesOf({ alertname: 'Low', by: 'total', window: '5m' }, 'en'), '');
  assert.equal(seriesOf({}, 'en'), '');
});
