import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { chooseLang, isKey, languages, reasonText, strings, text } from '../src/strings.ts';

test('every string is there in every language, with the same places to fill in', () => {
  const places = (words: string) => [...new Set(words.match(/\{\w+\}/g))].sort();
  for (const [key, entry] of Object.entries(strings)) {
    for (const lang of languages) {
      assert.notEqual(entry[lang].trim(), '', `${key} is empty in ${lang}`);
      assert.deepEqual(places(entry[lang]), places(entry.en), `${key} differs in ${lang}`);
    }
  }
});

test('Chinese is not left in English', () => {
  const same = ['n', 'why_said'];
  for (const [key, { zh }] of Object.entries(strings)) {
    if (!same.includes(key)) assert.match(zh, /\p{Script=Han}/u, key);
  }
});

test('index.html asks only for strings that exist', () => {
  const html = readFileSync(new URL('../index.html', import.meta.url), 'utf8');
  const asked = [...html.matchAll(/data-(?:t|label|help)="([^"]*)"/g)].map(([, key]) => key!);
  assert.ok(asked.length > 20);
  for (const key of asked) assert.ok(isKey(key), `strings.ts has no ${key}`);
});

test('text fills in what is given', () => {
  assert.equal(text('en', 'behind', { age: '2.0 s' }), '2.0 s behind');
  assert.equal(text('zh', 'behind', { age: '2.0 秒' }), '落后 2.0 秒');
  assert.deepEqual(['1', '2'].map((count) => text('en', 'why_fires', { count })), ['1 of its series fires', '2 of its series fire']);
});

test('why the service does not answer is said in the language of the page', () => {
  assert.equal(reasonText('zh', 'rebuilding: message 81 of 900'), '正在重建：第 81 条消息，共 900 条');
  assert.equal(reasonText('zh', 'recovering'), '正在恢复');
  assert.equal(reasonText('zh', 'no_connection'), '无法连接');
  assert.equal(reasonText('zh', 'HTTP 502'), 'HTTP 502');
});

test('every reason to quarantine has its words', () => {
  const words = readFileSync(new URL('../../../stream/reason.go', import.meta.url), 'utf8').match(/"\w+"/g) ?? [];
  assert.ok(words.length > 10);
  for (const word of words) assert.ok(word === '"none"' || isKey(`reason_${word.slice(1, -1)}`), word);
});

test('every reason of rules and deliveries has its words, in English those of the service, and is described', () => {
  const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const source = file('alerts/reason/reason.go');
  const reasons = [...source.matchAll(/= kind\{"(\w+)", "([^"]*)"\}/g)].map(([, code, words]) => [`why_${code}`, words!] as const);
  assert.ok(reasons.length > 20);
  assert.equal(reasons.length, source.split('= kind{').length - 1);
  assert.deepEqual(Object.fromEntries(Object.entries(strings).flatMap(([key, { en }]) => (key.startsWith('why_') ? [[key, en]] : []))), Object.fromEntries(reasons));
  const [described] = /\n    Because:\n(?: {6}.*\n)+/.exec(file('internal/api/openapi.yaml')) ?? [''];
  assert.deepEqual(/enum: \[([^\]]*)\]/.exec(described)?.[1]?.split(/,\s*/).map((code) => `why_${code}`), reasons.map(([key]) => key));
  for (const [, place] of reasons.flatMap(([, words]) => [...words.matchAll(/\{(\w+)\}/g)])) assert.match(described, new RegExp(`^ {12}${place}: `, 'm'));
});

test('a word of the API is no string by accident', () => {
  assert.ok(isKey('firing'));
  assert.ok(!isKey('toString'));
});

for (const [search, preferred, want] of [
  ['', ['zh-CN', 'en'], 'zh'],
  ['', ['en-GB'], 'en'],
  ['', ['fr', 'zh-TW'], 'zh'],
  ['', ['fr'], 'en'],
  ['', [], 'en'],
  ['?lang=zh', ['en'], 'zh'],
  ['?lang=EN', ['zh'], 'en'],
  ['?lang=xx', ['zh'], 'zh'],
] as const) {
  test(`language of "${search}" and [${preferred.join()}] is ${want}`, () => {
    assert.equal(chooseLang(search, preferred), want);
  });
}
