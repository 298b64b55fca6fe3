import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { Alert, Answer, Definition, Rule, Sample } from '../src/api.ts';
import { firingOn, join } from '../src/channels.ts';
import { curlLine, eventsAt, newId } from '../src/curl.ts';
import { formatMoment, inZone } from '../src/format.ts';
import { newModel } from '../src/model.ts';
import type { Lang } from '../src/strings.ts';
import { labelName } from '../src/strings.ts';
import { describe, isMixed, noteOf } from '../src/tiles.ts';

const sample = (channel: string, value: number | null) => ({ labels: { channel }, value }) as unknown as Sample;

test('channels are joined by name, most plays first', () => {
  const plays = [sample('a', 1), sample('b', 3)];
  const ctr = [sample('c', 0.5), sample('b', null)];
  const rows = join([plays, ctr]);
  assert.deepEqual(
    rows.map(({ channel, cells }) => [channel, ...cells.map((cell) => cell?.value)]),
    [
      ['b', 3, null],
      ['a', 1, undefined],
      ['c', undefined, 0.5],
    ],
  );
});

test('amounts of several currencies are told from a quantile of nothing', () => {
  const nothing = { value: null, numerator: null, n: 0 } as unknown as Sample;
  assert.deepEqual([isMixed(nothing, 'money'), isMixed(nothing, 'seconds'), isMixed(undefined, 'money')], [true, false, false]);
});

test('warnings are said in the words and the zone of the page', () => {
  inZone('Asia/Shanghai');
  const now = Date.UTC(2026, 10, 22, 4);
  const begins = Date.UTC(2026, 10, 22, 2);
  const note = (lang: Lang, start: number, warning: string) => {
    const answer = { start: new Date(start).toISOString(), samples: [] as Sample[] } as Answer;
    return noteOf({ answer, warnings: [warning] }, 'count', { lang, begins }, now);
  };
  const before = begins - 1;
  assert.equal(note('zh', before, 'x'), '窗口始于首个事件（10:00:00）之前，此前的情况未知。');
  assert.equal(
    note('en', before, 'x'),
    'Begins before the first event, 10:00:00: nothing is known of the time before.',
  );
  assert.equal(note('en', begins, 'x'), 'x');

  const source = (path: string) => readFileSync(new URL(`../../../internal/${path}`, import.meta.url), 'utf8');
  const go = source('app/queries.go') + source('api/queries.go');
  for (const [words, want] of [
    ['a rebuild began with', `自 ${formatMoment(begins, now)} 起重新计数，此前的数据未计入。`],
    ['rests on fewer than', '样本少于 30，不足以下结论。'],
    ['series that hold several currencies', '包含多种货币，不做相加。'],
    ['exceeds 1 in', '大于 1：作为分母的事件在窗口之外。'],
  ] as const) {
    const [, format] = new RegExp(`"([^"]*${words}[^"]*)"`).exec(go) ?? [];
    assert.ok(format, `the service does not say "${words}"`);
    const warning = format.replace('%s', new Date(begins).toISOString()).replace('%d', '30');
    assert.equal(note('zh', begins, warning), want);
  }
});

test('a value of a dimension that nobody has is said, whatever else is', () => {
  const answer = { start: '2026-11-22T00:00:00Z', samples: [] as Sample[] } as Answer;
  const note = (lang: Lang, ...warnings: string[]) => noteOf({ answer, warnings }, 'count', { lang, begins: Date.UTC(2026, 10, 22, 2) }, 0);
  assert.equal(note('en', 'nothing is known of the time before the first event, x', 'channel "douyi" was not seen of late: did you mean "douyin"?'), 'Channel “douyi” was not seen of late: did you mean “douyin”?');
  assert.equal(note('zh', 'channel "douyi" was not seen of late: did you mean "douyin"?'), '近期没有出现过渠道“douyi”，是否应为“douyin”？');
  assert.equal(note('zh', 'content_id "a b" was not seen of late'), '近期没有出现过内容“a b”。');
  const go = readFileSync(new URL('../../../internal/app/queries.go', import.meta.url), 'utf8');
  for (const words of ['"%s %q was not seen of late"', '": did you mean %q?"']) assert.ok(go.includes(words), `the service does not say ${words}`);
});

test('a return on spend is no share: it may exceed 1, and its parts are amounts', () => {
  const roi = { value: 3, numerator: 900, denominator: 300, n: 300, currency: 'CNY', labels: {} } as unknown as Sample;
  assert.equal(describe(roi, 'number', 'en'), '900 / 300\nAmounts in the smallest unit of CNY');
  const answer = { start: '2026-11-22T00:00:00Z', samples: [roi] } as unknown as Answer;
  const note = (warning: string) => noteOf({ answer, warnings: [warning] }, 'number', { lang: 'zh', begins: null }, 0);
  assert.equal(note('x'), 'x');
  assert.equal(note('roi is null in 2 series that hold several currencies: ask by=currency'), '包含多种货币，不做相加。');
  assert.equal(note('cvr exceeds 1 in 1 series: what'), '大于 1：作为分母的事件在窗口之外。');
});

test('only what is exact is said to be', () => {
  const told = (exactness: string, lang: Lang = 'en') => describe({ value: 59.224, labels: {}, exactness } as unknown as Sample, 'number', lang);
  assert.equal(told('exact'), 'Exactly 59.224');
  assert.equal(told('within 1 %'), '59.224, within 1 %');
  assert.equal(told('within 1 %', 'zh'), '59.224，误差不超过 1 %');
  for (const bound of ['within 9', 'at most 9', 'at least 9', 'unknown']) assert.equal(told(bound), 'About 59.224');
});

test('channels are marked where alerts fire about them', () => {
  const rule = { group: 'g', name: 'Low', expr: 'kpi_ctr_high{by="channel",window="5m"} < 0.01', labels: {} } as Rule;
  const other = { ...rule, name: 'Odd', expr: 'kpi_gone{by="channel"} > 1' };
  const alert = (name: string, channel: string, state = 'firing') =>
    ({ group: 'g', rule: name, state, labels: { by: 'channel', channel } }) as unknown as Alert;
  const alerts = {
    rules: [rule, other],
    alerts: [alert('Low', 'a'), alert('Odd', 'a'), alert('Low', 'b', 'pending')],
    deliveries: [],
  };
  const definitions = new Map([['ctr', { name: 'ctr' } as Definition]]);
  const firing = firingOn({ ...newModel('en'), alerts, definitions });
  assert.deepEqual([...firing].map(([channel, rules]) => [channel, ...rules]), [['a', ['ctr', 'Low'], ['', 'Odd']]]);
});

test('the words of the service are translated, names are not', () => {
  assert.equal(labelName('(none)', 'zh'), '（无）');
  assert.equal(labelName('__other__', 'en'), 'Others');
  assert.equal(labelName('douyin', 'zh'), 'douyin');
  assert.equal(labelName('dormant', 'zh', 'state'), '沉睡');
  assert.equal(labelName('dormant', 'zh', 'channel'), 'dormant');
});

test('the curl line is one line of shell with fresh, present events', () => {
  const now = 1_763_800_000_000;
  const line = curlLine('http://127.0.0.1:8080', now, 'abc');
  assert.ok(!line.includes('\n'));
  const body = /-d '(.*)'$/.exec(line)?.[1];
  assert.ok(body && !body.includes("'"));
  assert.deepEqual(JSON.parse(body), eventsAt(now, 'abc'));
});

test('its events are valid', () => {
  const now = 1_763_800_000_000;
  const events = eventsAt(now, newId());
  assert.equal(new Set(events.map((event) => event['id'])).size, events.length);
  assert.equal(events.at(-1)?.['time'], now);
  for (const event of events) {
    assert.ok(event['type'] && event['user_id'] && Number(event['time']) <= now);
  }
  assert.notEqual(newId(), newId());
});
