import assert from 'node:assert/strict';
import test from 'node:test';
import type { Definition } from '../src/api.ts';
import type { Mark } from '../src/axis.ts';
import { cohortsOf, columnsOf } from '../src/retention.ts';
import type { Part } from '../src/stack.ts';
import { daysOf, pileOf, ticksOf } from '../src/stack.ts';
import { userQuestions, wholeOf } from '../src/users.ts';

const define = (name: string, by: string[][] = [[]], windows = ['day']) =>
  [name, { name, by, windows }] as unknown as [string, Definition];

test('the columns are the retentions of the catalogue, one of your own among them', () => {
  const definitions = new Map([
    define('retention_d30'),
    define('retention_d7'),
    define('retention_rate'),
    define('retention_d2', [[], ['channel']]),
    define('retention_d3', [[]], ['1h']),
  ]);
  assert.deepEqual(
    columnsOf({ definitions }).map(({ after }) => after),
    [2, 7, 30],
  );
});

test('the section asks for what the catalogue has, and for nothing before it is known', () => {
  const asked = (...kpis: [string, Definition][]) => userQuestions({ definitions: new Map(kpis) });
  assert.deepEqual(asked(), []);
  assert.deepEqual(asked(define('lifecycle', [['state']]), define('churned_users'), define('retention_d1')), [
    { kpi: 'retention_d1', days: 36 },
    { kpi: 'lifecycle', by: 'state', days: 14 },
    { kpi: 'churned_users', days: 14 },
  ]);
  assert.deepEqual(asked(define('lifecycle')), [], 'a lifecycle without its states');
});

/** of makes the marks of the days 1, 2, ...; a pair is numerator and denominator, null a day that is not final. */
const of = (...days: ([number, number] | null)[]): Mark[] =>
  days.map((parts, index) => ({
    end: index + 1,
    value: parts && parts[0] / parts[1],
    parts: parts ?? ([0, 9] as const),
  }));

test('rows begin with the newest day that has a value; all days together weigh each with its users', () => {
  const cohorts = cohortsOf([of([1, 4], [8, 8], null, null), of([3, 4], null, null, null)]);
  assert.deepEqual(
    cohorts.map(({ end, cells }) => [end, ...cells.map((cell) => cell?.value)]),
    [
      [null, 9 / 12, 3 / 4],
      [2, 1, undefined],
      [1, 1 / 4, 3 / 4],
    ],
  );
  assert.deepEqual(cohorts[0]!.cells[0], { value: 9 / 12, parts: [9, 12], first: 1, last: 2 });
});

test('a day on which nobody came keeps its row, and only the newest are shown', () => {
  const days = Array.from({ length: 20 }, (_, day): [number, number] | null => (day === 17 ? null : [1, 2]));
  const cohorts = cohortsOf([of(...days)]);
  assert.deepEqual(
    cohorts.map(({ end }) => end),
    [null, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7],
  );
  assert.equal(cohorts[3]!.cells[0], undefined);
});

test('before anything is final there are no rows', () => {
  assert.deepEqual(cohortsOf([of(null, null), []]), []);
  assert.deepEqual(cohortsOf([]), []);
});

const part = (key: string, marks: Mark[], below = false): Part => ({ key, name: key, marks, below });
const at = (end: number, value: number | null, open = false): Mark => ({ end, value, open });

test('parts of a day are piled up from zero, and hang from it; a day is open when any of it is', () => {
  const parts = [
    part('returning', [at(1, 5), at(2, 6, true)]),
    part('new', [at(2, 2), at(1, null)]),
    part('dormant', [at(2, 3)], true),
  ];
  const days = daysOf(parts);
  assert.deepEqual(days, [
    { end: 1, open: false, values: [5, null, null] },
    { end: 2, open: true, values: [6, 2, 3] },
  ]);
  assert.deepEqual(pileOf(days[1]!, parts), [[0, 6], [6, 8], [0, -3]]);
  assert.deepEqual(pileOf(days[0]!, parts), [[0, 5], [5, 5], [0, 0]]);
});

test('a state that is not listed on a day had nobody', () => {
  const users = new Map([
    ['churned_users', [{ labels: {}, marks: [at(1, 0), at(2, 4), at(3, 4, true)] }]],
    ['lifecycle', [{ labels: { state: 'new' }, marks: [at(2, 7)] }]],
  ]);
  assert.deepEqual(wholeOf([at(2, 7)], { users }), [{ end: 1, value: 0 }, at(2, 7), { end: 3, value: 0 }]);
});

for (const [low, high, want] of [
  [0, 1, [0, 1]],
  [0, 4.2, [0, 1, 2, 3, 4]],
  [-2_359, 8_607, [-2_000, 0, 2_000, 4_000, 6_000, 8_000]],
  [0, 9_990, [0, 2_000, 4_000, 6_000, 8_000]],
  [-1, 30, [0, 10, 20, 30]],
] as const) {
  test(`between ${low} and ${high} stand ${want.join()}`, () => assert.equal(ticksOf(low, high).map(String).join(), want.join()));
}
