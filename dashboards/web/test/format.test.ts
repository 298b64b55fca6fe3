import assert from 'node:assert/strict';
import test from 'node:test';
import * as format from '../src/format.ts';

const { dash } = format;
const table = (name: string, cases: readonly (readonly [got: string, want: string])[]) =>
  test(name, () => {
    for (const [got, want] of cases) assert.equal(got, want);
  });

test('no value is a dash in every unit, never a zero', () => {
  for (const unit of ['count', 'percent', 'money', 'seconds', 'number'] as const) {
    for (const lang of ['en', 'zh'] as const) {
      assert.equal(format.formatValue(null, unit, lang), dash);
      assert.equal(format.formatValue(undefined, unit, lang), dash);
      assert.notEqual(format.formatValue(0, unit, lang, 'CNY'), dash);
    }
  }
});

table('counts', [
  [format.formatCount(0, 'en'), '0'],
  [format.formatCount(1234, 'en'), '1,234'],
  [format.formatCount(9_999_999, 'en'), '9,999,999'],
  [format.formatCount(12_345_678, 'en'), '12.35M'],
  [format.formatCount(12_345_678, 'zh'), '1234.57万'],
]);

table('amounts of money are said as managers say them', [
  [format.formatMoney(1_877_420, 'CNY', 'en'), '¥18,774'],
  [format.formatMoney(187_742_000, 'CNY', 'en'), '¥1.88M'],
  [format.formatMoney(999_900, 'CNY', 'zh'), '¥9,999.00'],
  [format.formatMoney(1_877_420, 'CNY', 'zh'), '¥1.88万'],
  [format.formatMoney(1_877_420, 'CNY', 'zh', true), '¥18,774.20'],
  [format.formatTick(2_000_000, 500_000, 'money', 'zh', 'CNY'), '2万'],
]);

table('changes', [
  [format.formatChange(110, 100, 'en') ?? '', '+10%'],
  [format.formatChange(97, 100, 'en') ?? '', '-3.0%'],
  [format.formatChange(100, 100, 'en') ?? '', '0.0%'],
  [format.formatChange(5, 0, 'en') ?? 'none', 'none'],
  [format.formatChange(null, 5, 'en') ?? 'none', 'none'],
]);

table('windows', [
  [format.formatWindow('5m', 'en'), '5 min'],
  [format.formatWindow('24h', 'zh'), '24 小时'],
  [format.formatWindow('7d', 'en'), '7 d'],
  [format.formatWindow('day', 'zh'), '今日'],
  [format.formatWindow('today', 'zh'), '当日累计'],
]);

table('shares', [
  [format.formatPercent(0, 'en'), '0.00%'],
  [format.formatPercent(0.000001, 'en'), '<0.01%'],
  [format.formatPercent(0.031, 'en'), '3.10%'],
  [format.formatPercent(0.09994, 'en'), '9.99%'],
  [format.formatPercent(0.09996, 'en'), '10.0%'],
  [format.formatPercent(0.4123, 'en'), '41.2%'],
  [format.formatPercent(1.5, 'en'), '150.0%'],
]);

table('money is in minor units of its currency', [
  [format.formatMoney(12_900, 'CNY', 'en'), '¥129.00'],
  [format.formatMoney(129, 'JPY', 'en'), '¥129'],
  [format.formatMoney(128_034_567, 'CNY', 'zh'), '¥128.03万'],
  [format.formatMoney(128_034_567, 'CNY', 'zh', true), '¥1,280,345.67'],
  [format.formatMoney(12_345_678_900, 'CNY', 'en'), '¥123.46M'],
  [format.formatMoney(12_345_678_900, 'CNY', 'zh'), '¥1.23亿'],
  [format.formatMoney(0, undefined, 'en'), '0.00'],
  [format.formatMoney(12_900, 'coins', 'en'), '129.00'],
]);

table('durations are rounded to three digits', [
  [format.formatValue(14.891, 'seconds', 'en'), '14.9 s'],
  [format.formatValue(59.9, 'seconds', 'en'), '59.9 s'],
  [format.formatValue(66.8, 'seconds', 'en'), '1.11 min'],
  [format.formatValue(5_390, 'seconds', 'zh'), '1.50 小时'],
  [format.formatValue(100 * 86_400, 'seconds', 'en'), '100 d'],
  [format.formatValue(0.25, 'seconds', 'zh'), '0.250 秒'],
  [format.formatValue(0, 'seconds', 'en'), '0.00 s'],
  [format.formatValue(-90, 'seconds', 'en'), '-1.50 min'],
]);

table('ages', [
  [format.formatAge(-5, 'en'), '0.0 s'],
  [format.formatAge(1_850, 'en'), '1.8 s'],
  [format.formatAge(59_999, 'en'), '59 s'],
  [format.formatAge(90_000, 'zh'), '1.5 分钟'],
  [format.formatAge(3 * 36e5, 'en'), '3.0 h'],
  [format.formatAge(9 * 365.25 * 864e5, 'en'), '9.0 y'],
]);

table('lengths of time as Go and Prometheus write them', [
  [format.formatLength('1h30m0s', 'en'), '1 h 30 min'],
  [format.formatLength('1h30m', 'zh'), '1 小时 30 分钟'],
  [format.formatLength('1.5s', 'en'), '1.5 s'],
  [format.formatLength('2m0.5s', 'en'), '2 min 0.5 s'],
  [format.formatLength('300ms', 'en'), '300ms'],
  [format.formatLength('10s', 'zh'), '10 秒'],
  [format.formatLength('0s', 'en'), '0 s'],
  [format.formatLength('0s', 'zh'), '0 秒'],
]);

test('a moment has its date when it is not of today', () => {
  const now = new Date(2026, 10, 22, 10, 0, 0).getTime();
  assert.equal(format.formatMoment(now - 60_000, now), '09:59:00');
  assert.equal(format.formatMoment(new Date(2017, 11, 3, 23, 59, 1).getTime(), now), '2017-12-03 23:59:01');
  assert.equal(format.formatMoment(null, now), dash);
});

table('ticks have the decimals that tell them apart', [
  [format.formatTick(0.11, 0.01, 'percent', 'en'), '11%'],
  [format.formatTick(0.1105, 0.0005, 'percent', 'en'), '11.05%'],
  [format.formatTick(0, 0.2, 'percent', 'en'), '0%'],
  [format.formatTick(3, 1, 'count', 'en'), '3'],
  [format.formatTick(12_345, 5, 'count', 'en'), '12,345'],
  [format.formatTick(12_350, 50, 'money', 'en', 'CNY'), '123.5'],
  [format.formatTick(12_300, 100, 'money', 'en', 'CNY'), '123'],
  [format.formatTick(123, 1, 'money', 'en', 'JPY'), '123'],
  [format.formatTick(2_500_000, 500_000, 'count', 'en'), '2.5M'],
  [format.formatTick(0.3, 0.1, 'number', 'en'), '0.3'],
]);

test('the same time of the day before is by the clock', () => {
  const hours = (at: number) => (at - format.dayBefore(at)) / 36e5;
  format.inZone('America/New_York');
  assert.equal(hours(Date.UTC(2026, 2, 7, 14)), 24);
  assert.equal(hours(Date.UTC(2026, 2, 8, 14)), 23);
  assert.equal(hours(Date.UTC(2026, 10, 1, 15)), 25);
  assert.equal(hours(Date.UTC(2026, 10, 2, 15)), 24);
});

test('times are those of the business, and an unknown zone changes nothing', () => {
  const midnight = Date.UTC(2026, 10, 22, 16);
  format.inZone('Asia/Shanghai');
  format.inZone('Mars/Olympus');
  assert.equal(format.zoneName(), 'Asia/Shanghai');
  assert.equal(format.formatClock(midnight), '00:00:00');
  assert.equal(format.formatClock(midnight, false), '00:00');
  assert.equal(format.formatDate(midnight), '2026-11-23');
  assert.ok(!format.sameDay(midnight, midnight - 1));
});

test('a time that is read by itself names its zone', () => {
  const summer = Date.UTC(2026, 6, 1, 4);
  for (const [zone, ms, want] of [
    ['Asia/Shanghai', summer, '12:00:00 UTC+8'],
    ['Asia/Kolkata', summer, '09:30:00 UTC+5:30'],
    ['Europe/London', summer, '05:00:00 UTC+1'],
    ['UTC', summer, '04:00:00 UTC'],
    ['America/New_York', Date.UTC(2026, 0, 1, 17), '2026-01-01 12:00:00 UTC-5'],
  ] as const) {
    format.inZone(zone);
    assert.equal(format.formatInstant(ms, summer), want);
  }
  assert.equal(format.formatInstant(null, summer), dash);
});
