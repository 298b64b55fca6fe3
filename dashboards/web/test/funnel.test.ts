import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { Definition, Sample } from '../src/api.ts';
import type { Mark, Series } from '../src/axis.ts';
import { othersOf } from '../src/focus.ts';
import { inZone } from '../src/format.ts';
import { dayOf, funnelsOf, partsOf, stepsOf } from '../src/funnel.ts';
import { openText } from '../src/horizon.ts';
import { dayText, newestOf, segmentedOf } from '../src/segments.ts';
import { labelName } from '../src/strings.ts';
import { runningQuestions, userQuestions } from '../src/users.ts';

const steps = ['zoom', 'cart', 'pay'];
const define = (name: string, more: Partial<Definition> = {}) =>
  [
    name,
    { name, place: 0, unit: 'count', ratio: false, by: [[]], windows: ['24h', 'day'], from: 'buying', ...more },
  ] as unknown as [string, Definition];
const byStep: Partial<Definition> = { split: ['step'], texts: { step: steps }, by: [['step'], ['step', 'channel']] };
const share: Partial<Definition> = { ratio: true, unit: 'percent' };
const known = (...kpis: [string, Definition][]) => ({ definitions: new Map(kpis) });

test('a funnel is a KPI that counts users by step, with what is named after it; its steps are in the order of the operator', () => {
  const funnels = funnelsOf(
    known(
      define('path', { ...byStep, place: 2, horizon: 7 }),
      define('path_step_rate', { ...byStep, ...share }),
      define('path_conversion', share),
      define('buying', { ...byStep, place: 1, windows: ['day'] }),
      define('buying_step_rate', { ...byStep, ...share, from: 'other' }), // of another operator
      define('buying_conversion'), // no share
      define('lifecycle', { split: ['state'], by: [['state']] }),
      define('step_time', { ...byStep, unit: 'seconds' }),
      define('hourly', { ...byStep, windows: ['1h'] }),
    ),
  );
  assert.deepEqual(funnels, [
    { kpi: 'buying', steps },
    { kpi: 'path', steps, horizon: 7, rate: 'path_step_rate', overall: 'path_conversion' },
  ]);
  assert.deepEqual(partsOf(funnels[1]!), [
    { kpi: 'path', by: 'step' },
    { kpi: 'path_step_rate', by: 'step' },
    { kpi: 'path_conversion' },
  ]);
});

test('what is asked for is kept', () => {
  const catalogue = known(
    define('path', byStep),
    define('path_step_rate', { ...byStep, ...share, windows: ['24h'] }),
    define('path_conversion', { ...share, windows: ['day'] }),
    define('rfm', { split: ['segment'], by: [['segment']], windows: ['day'] }),
  );
  assert.deepEqual(userQuestions(catalogue), [
    { kpi: 'path', by: 'step', days: 14 },
    { kpi: 'path_conversion', days: 14 },
    { kpi: 'rfm', by: 'segment', days: 14 },
  ]);
  assert.deepEqual(runningQuestions(catalogue), [
    { kpi: 'path', by: 'step' },
    { kpi: 'path_step_rate', by: 'step' },
  ]);
  assert.deepEqual(segmentedOf(catalogue).map(({ name }) => name), ['rfm']);
});

const series = (step: string, ...values: [end: number, value: number][]): Series => ({
  labels: { step },
  marks: values.map(([end, value]) => ({ end, value })),
});

test('the day shown is the newest that is over and has anything, before there is one the running one', () => {
  const all = [series('zoom', [1, 9], [2, 8], [3, 0], [4, 7]), series('pay', [1, 1])];
  assert.equal(dayOf(all, 3), 2);
  assert.equal(dayOf(all, 4), 4);
  assert.equal(dayOf(all, 0), 4);
  assert.equal(dayOf([series('zoom', [3, 0])], 3), undefined);
  assert.equal(dayOf([], 3), undefined);
});

test('steps follow each other, and nobody is in one that is not listed', () => {
  const funnel = { kpi: 'path', rate: 'path_step_rate', overall: 'path_conversion', steps };
  const marks: Record<string, Mark> = {
    'path pay': { end: 1, value: 2 },
    'path zoom': { end: 1, value: 9 },
    'path_step_rate pay': { end: 1, value: null, parts: [0, 0] },
    'path_conversion ': { end: 1, value: 2 / 9, parts: [2, 9] },
  };
  const find = (kpi: string, step = '') => marks[`${kpi} ${step}`];
  assert.deepEqual(stepsOf(funnel, true, find), [
    { step: 'zoom', users: 9 },
    { step: 'cart', users: 0 },
    { step: 'pay', users: 2, rate: marks['path_step_rate pay'] },
    { step: '', rate: marks['path_conversion '] },
  ]);
  assert.deepEqual(stepsOf({ kpi: 'path', steps }, false, () => undefined), steps.map((step) => ({ step })));
});

test('the steps of a funnel keep their order where it is looked at', () => {
  const samples = ['zoom', 'pay', 'cart', 'pay'].map((step, value) => ({ labels: { step }, value }) as unknown as Sample);
  const order = (texts?: string[]) => othersOf(samples, {}, texts).map(({ value }) => value);
  assert.deepEqual(order(steps), [0, 2, 3, 1]);
  assert.deepEqual(order(), [3, 2, 1, 0]);
});

test('how long a day is open is said by date, whatever clocks do meanwhile', () => {
  inZone('Europe/Berlin');
  const end = Date.parse('2026-03-26T00:00:00+01:00'); // clocks go forward on the 29th
  assert.deepEqual(openText(end, { horizon: 7 }, 'en'), ['immature until 2026-04-01', 'May change until the end of 2026-04-01']);
  assert.equal(openText(end, {}, 'zh')[0], '进行中');
  const days = [{ labels: {}, marks: [{ end: end - 1, value: 1 }, { end, value: 2, open: true }] }];
  assert.equal(dayText(newestOf(days), {}, 'en'), '2026-03-25 · so far');
  assert.equal(dayText(newestOf([]), {}, 'en'), '');
  inZone('Asia/Shanghai');
});

test('the steps by default and the segments have their words', () => {
  const source = (file: string) => readFileSync(new URL(`../../../kpi/${file}`, import.meta.url), 'utf8');
  const [, list = ''] = /RFMSegments = \[\]string\{([^}]*)\}/.exec(source('rfm.go')) ?? [];
  const [, names = ''] = /range \[\]string\{("impression"[^}]*)\}/.exec(source('funnel.go')) ?? [];
  for (const [field, words, count] of [['segment', list, 8], ['step', names, 5]] as const) {
    const values = [...words.matchAll(/"(\w+)"/g)].map(([, word]) => word!);
    assert.equal(values.length, count);
    for (const value of values) assert.notEqual(labelName(value, 'zh', field), value);
  }
  assert.equal(labelName('zoom', 'zh', 'step'), 'zoom');
  assert.equal(labelName('pay', 'zh', 'event'), 'pay');
});
