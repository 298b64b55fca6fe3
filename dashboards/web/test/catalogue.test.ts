import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf, momentOf } from '../src/address.ts';
import type { Answer, Definition, Sample } from '../src/api.ts';
import { completed } from '../src/address.ts';
import { dayWindow, sectionsOf, shortWindow, sparkOf, trendOf } from '../src/catalogue.ts';
import { aheadText, isAhead, othersOf, seriesIn } from '../src/focus.ts';
import { inZone } from '../src/format.ts';
import { newModel } from '../src/model.ts';
import { describeDays } from '../src/tiles.ts';

const define = (name: string, place: number, group: string, by: string[][] = [[]], top = 0) =>
  [name, { name, place, group: { en: group, zh: group && `${group}类` }, by, top, windows: ['5m'] }] as [
    string,
    Definition,
  ];

test('KPIs stand under the headings of the catalogue, in its order; own ones last, lists not at all', () => {
  const definitions = new Map([
    define('aov', 4, 'Commerce'),
    define('mine', 2, ''),
    define('plays', 1, 'Content'),
    define('top_contents', 0, 'Content', [['content_id']], 20),
    define('lifecycle', 6, 'Content', [['state'], ['state', 'channel']]),
    define('watch_time', 5, 'Content', [[], ['channel']]),
  ]);
  const shown = sectionsOf({ definitions, lang: 'zh' }).map(({ heading, kpis }) => [
    heading,
    ...kpis.map(({ name }) => name),
  ]);
  assert.deepEqual(shown, [
    ['Content类', 'plays', 'watch_time', 'lifecycle'],
    ['Commerce类', 'aov'],
    ['自定义指标', 'mine'],
  ]);
  const byOf = (kpi: string) => completed({ kpi, window: 'day', by: [], labels: {} }, definitions.get(kpi)!).by;
  assert.deepEqual(byOf('lifecycle'), ['state']);
  assert.deepEqual(byOf('watch_time'), []);
});

for (const [windows, want] of [
  [['1m', '5m', 'day'], '5m'],
  [['15m', 'day'], '15m'],
  [['7d', '90d'], '7d'],
  [['day', 'today'], undefined],
] as const) {
  test(`just now is ${want} of ${windows.join()}`, () => assert.equal(shortWindow({ windows: [...windows] }), want));
}

test('a row asks for about as many points as it can show, at a step that is kept', () => {
  const watermark = 1_763_800_000_000;
  assert.deepEqual(trendOf({ windows: ['5m', 'day'] }, watermark), {
    window: '5m',
    from: String(watermark - 900_000),
    to: String(watermark),
    step: '25s',
  });
  assert.deepEqual(trendOf({ windows: ['24h'] }, watermark), {
    window: '24h',
    from: String(watermark - 36 * 600_000),
    to: String(watermark),
    step: '600s',
  });
  assert.deepEqual(trendOf({ windows: ['day'] }, watermark), {
    window: 'day',
    from: String(watermark - 35 * 86_400_000),
    to: String(watermark + 95_040_000),
  });
});

test('what is final late is of the day that has it, not of now; so is what a link asks for', () => {
  const answer = (window: string, end: string) =>
    ({ window, end, watermark: '2026-11-28T13:00:00.000Z' }) as unknown as Answer;
  const of = (search: string, window: string, end: string) => momentOf(addressOf(search)!, answer(window, end));
  const [past, today] = ['2026-11-24T16:00:00.000Z', '2026-11-28T16:00:00.000Z'];
  assert.equal(of('?kpi=retention_d3', 'day', past), Date.parse(past));
  assert.equal(of('?kpi=dau', 'day', today), null);
  assert.equal(of('?kpi=plays', '5m', '2026-11-28T13:00:00.000Z'), null);
  assert.equal(of('?kpi=plays&at=2026-11-24', '5m', past), Date.parse(past));
  assert.equal(momentOf(addressOf('?kpi=plays&at=2026-11-24')!, undefined), null);
});

test('a trend in a row spans its box, and a gap stays a gap', () => {
  const marks = [1, 3, null, 2, 1].map((value, index) => ({ end: index * 10, value }));
  assert.equal(sparkOf(marks), 'M0.0 22.0L25.0 2.0M75.0 12.0L100.0 22.0');
  assert.equal(sparkOf([{ end: 0, value: 1 }]), '');
  assert.equal(sparkOf([0, 10].map((end) => ({ end, value: 7 }))), 'M0.0 12.0L100.0 12.0');
});

const sample = (channel: string, value: number) => ({ labels: { channel }, value }) as unknown as Sample;

test('the series that is meant is listed, however small', () => {
  const all = Array.from({ length: 40 }, (_, index) => sample(`c${index}`, index));
  const shown = othersOf(all, { channel: 'c3' }).map(({ value }) => value);
  assert.deepEqual([shown.length, ...shown.slice(0, 2), ...shown.slice(-2)], [20, 39, 38, 21, 3]);
  assert.equal(othersOf(all, {}).at(-1)?.value, 20);
  assert.equal(seriesIn(all, { channel: 'c9' })?.value, 9);
  assert.equal(seriesIn(all, { channel: 'none' }), undefined);
});

const answer = (start: string, as_of: string | null, n = 0, watermark = as_of) =>
  ({ start, as_of, watermark, samples: [{ n }] }) as unknown as Answer;

for (const [what, asked, want] of [
  ['a window of tomorrow', answer('2026-11-29T00:00:00Z', '2026-11-28T10:00:00Z'), true],
  ['one with an event that is ahead', answer('2026-11-29T00:00:00Z', '2026-11-28T10:00:00Z', 1), false],
  ['one without events', answer('2026-11-28T09:55:00Z', '2026-11-28T10:00:00Z'), false],
  ['a quiet one', answer('2026-11-28T09:55:00Z', '2026-11-28T09:00:00Z', 0, '2026-11-28T10:00:00Z'), false],
  ['one before the first event', answer('2026-11-28T09:55:00Z', null), false],
] as const) {
  test(`${what} ${want ? 'has not begun' : 'has begun'}`, () => assert.equal(isAhead(asked), want));
}

test('who asks for today and gets its last minutes is told of the day', () => {
  inZone('Asia/Shanghai');
  const definitions = new Map([['plays', { windows: ['5m', 'day'], by: [[]] } as unknown as Definition]]);
  const model = { ...newModel('en'), definitions };
  const late = answer('2026-11-28T15:55:00Z', '2026-11-28T10:00:00Z');
  const said = (search: string, got = late) =>
    aheadText(got, addressOf(search)!, model, Date.parse('2026-11-28T10:00:02Z'));
  const ahead = 'Not begun yet: counted up to 18:00:00.';
  assert.equal(said('?kpi=plays&at=2026-11-28'), `${ahead} For the whole day choose “Today”.`);
  assert.equal(said('?kpi=plays&at=2026-11-28T23:59:00%2B08:00'), ahead);
  assert.equal(said('?kpi=plays&at=2026-11-29', answer('2026-11-29T15:55:00Z', late.as_of)), ahead);
  assert.equal(said('?kpi=plays&at=2026-11-28&window=day'), ahead);
  assert.equal(said('?kpi=dau&at=2026-11-28'), ahead);
});

test('today is compared with yesterday until the same time, in one currency', () => {
  const until = (value: number | null, currency: string) =>
    ({ value, currency, end: '2026-11-22T06:30:00.000Z' }) as Sample;
  const [brief, timed, both] =
    describeDays({ today: until(1_100_00, 'CNY'), yesterday: until(1_000_00, 'CNY') }, 'money', 'en') ?? [];
  assert.equal(brief, '+10% on yesterday');
  assert.match(timed ?? '', /^\+10% on yesterday, \d\d:\d\d$/);
  assert.match(both ?? '', /^Until \d\d:\d\d: today ¥1,100\.00, yesterday ¥1,000\.00$/);
  assert.equal(describeDays({ today: until(5, 'CNY'), yesterday: until(5, 'JPY') }, 'money', 'en'), undefined);
  assert.equal(describeDays({ today: until(5, 'CNY'), yesterday: until(null, 'CNY') }, 'money', 'en'), undefined);
});

test('a KPI of today alone shows today', () => {
  assert.equal(dayWindow({ windows: ['5m', 'today'] }), 'today');
  assert.equal(dayWindow({ windows: ['5m', 'day', 'today'] }), 'day');
  assert.equal(dayWindow({ windows: ['5m'] }), undefined);
  assert.equal(trendOf({ windows: ['today'] }, 1_800_000_000_000)['window'], 'today');
});
