import assert from 'node:assert/strict';
import test from 'node:test';
import type { Subject } from '../src/api.ts';
import type { Unit } from '../src/format.ts';
import { conditionText, runbookOf } from '../src/terms.ts';

for (const [annotations, held, unit, want] of [
  [{ comparison: '<', threshold: '0.2' }, '2m', 'percent', 'Condition: < 20%, for 2 min'],
  [{ comparison: '<', threshold: '0.2', compared: 'high' }, '0s', 'percent', 'Condition: upper end < 20%'],
  [{ comparison: '<', threshold: '0.0005' }, '0s', 'percent', 'Condition: < 0.05%'],
  [{ comparison: '>=', threshold: '50000000', currency: 'CNY' }, '1h30m', 'money', 'Condition: >= ¥500,000.00 CNY, for 1 h 30 min'],
  [{ comparison: '>', threshold: '1200' }, '0s', 'count', 'Condition: > 1,200'],
  [{ comparison: '<', threshold: '500' }, '0s', 'money', 'Condition: < 500 minor units'],
  [{ comparison: '<', threshold: '500', currency: 'CNY' }, '0s', undefined, 'Condition: < 500'],
  [{}, '5m', undefined, 'Condition: a / b < 1, for 5 min'],
  [{ threshold: 'by the hour', comparison: '<' }, '0s', undefined, 'Condition: a / b < 1'],
] as [Record<string, string>, string, Unit | undefined, string][]) {
  const subject = unit ? { subject: { kpi: 'a', unit } as Subject } : {};
  test(`a rule says ${want}`, () => assert.equal(conditionText({ annotations, labels: {}, ...subject }, { expr: 'a / b < 1', for: held }, 'en'), want));
}

test('of a rule that is gone its condition is said as far as the alert knows it', () => {
  assert.equal(conditionText({ annotations: {}, labels: {} }, undefined, 'en'), '');
  const recovers = { expr: 'a < 1', for: '2m', recover: 'a > 2' };
  assert.equal(conditionText({ annotations: {}, labels: {} }, recovers, 'en'), 'Condition: a < 1, for 2 min; over when a > 2');
  assert.equal(conditionText({ annotations: { comparison: '<', threshold: '1' }, labels: {} }, undefined, 'zh'), '条件：< 1');
});

test('of an expression that has no value the condition is said whole', () => {
  const annotations = { expr: 'a / b < 1', comparison: '<', threshold: '1' };
  assert.equal(conditionText({ annotations, labels: {}, value: null }, { expr: 'a / b < 1', for: '0s' }, 'en'), 'Condition: a / b < 1');
  assert.equal(conditionText({ annotations, labels: {}, value: 0.5 }, { expr: 'a / b < 1', for: '0s' }, 'en'), 'Condition: < 1');
});

test('a runbook is a page', () => {
  for (const [address, is] of [['https://wiki.example/a', true], ['http://wiki.example', true], ['javascript:alert(1)', false], ['wiki', false], ['', false], ['https:///a', false]] as const)
    assert.equal(runbookOf({ annotations: { runbook_url: address } }) !== undefined, is, address);
});
