import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert, Definition } from '../src/api.ts';
import { computedText, stateText, thenText, unkeptText, whenText } from '../src/focus.ts';
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

test('a value of the past beside an alert of now says so', () => {
  assert.equal(thenText('5m', now - 60_000, 'en', now), 'The value is of 11:59:00 UTC+8, the alert is as it is now.');
  assert.equal(thenText('day', Date.UTC(2026, 10, 22, 16), 'zh', now), '数值截至 2026-11-22，告警为当前情况。');
});

test('an alert says how much it matters, and what its expression comes to beside the value of the KPI', () => {
  const alert = (more: Partial<Alert>) =>
    ({ rule: 'Drop', state: 'firing', labels: {}, annotations: {}, value: -0.42, active_at: '2026-11-23T03:00:00.000Z', ...more }) as Alert;
  assert.equal(stateText(alert({ labels: { severity: 'page' } }), 'en', now), 'Firing · Drop · severity page · since 11:00:00 UTC+8');
  assert.equal(stateText(alert({}), 'zh', now), '触发 · Drop · 始于 11:00:00 UTC+8');
  const annotations = { expr: 'kpi_plays / kpi_plays offset 1d - 1 < -0.3' };
  assert.equal(computedText(alert({ annotations }), 'en'), 'The expression of the rule comes to -0.42');
  const subject = { kpi: 'gmv_paid', unit: 'money', across: true } as Alert['subject'] & object;
  assert.equal(computedText(alert({ annotations, value: 3000000, subject }), 'zh'), '规则表达式的结果为 3,000,000 个最小货币单位，不分币种');
  assert.equal(computedText(alert({ annotations, value: null }), 'en'), '');
  assert.equal(computedText(alert({}), 'en'), '', 'a selector compares the value of the KPI');
});

test('what is not broken down that way says what is shown', () => {
  const plays = { by: [[], ['channel'], ['channel', 'device']] } as unknown as Definition;
  const cohorts = { by: [['cohort'], ['channel', 'cohort']], split: ['cohort'] } as unknown as Definition;
  const text = (definition: Definition, by: string[], labels: Record<string, string> = {}) => unkeptText({ kpi: 'k', by, labels }, definition, 'en');
  assert.equal(text(plays, ['chanel']), 'There is no breakdown by chanel: this is the total.');
  assert.equal(text(plays, ['chanel'], { chanel: 'douyin' }), 'There is no breakdown by chanel.');
  assert.equal(text(plays, ['region', 'device']), 'There is no breakdown by Region × Device: this is the total.');
  assert.equal(text(plays, ['device', 'channel']), undefined);
  assert.equal(text(cohorts, ['channel']), undefined);
  assert.equal(text(cohorts, ['device']), 'There is no breakdown by Device.');
  assert.equal(unkeptText({ kpi: 'k', by: ['device'], labels: {} }, plays, 'zh'), '没有按“设备”的细分，此处为合计。');
  assert.equal(unkeptText({ kpi: 'k', by: ['device'], labels: {} }, undefined, 'zh'), undefined, 'the catalogue is not known');
});
