import assert from 'node:assert/strict';
import test from 'node:test';
import type { Filter, Query } from '../src/types.ts';
import type { Replace } from '../src/variables.ts';
import { applied, appliedVariable, hasVariable } from '../src/variables.ts';

/** What Grafana makes of $name and ${name:format}, as far as it matters here: the browser tests have the real thing. */
const replaceIn =
  (variables: Record<string, { value: string | string[]; text?: string }>): Replace =>
  (text, scoped = {}, format) =>
    text.replace(/\$(?:\{(\w+)(?::(\w+))?\}|(\w+))/g, (whole, braced?: string, own?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      const known = scoped[name] ?? variables[name];
      if (!known) return whole;
      const { value, text: said } = known as { value: string | string[]; text?: string };
      const how = own ?? format;
      if (typeof how === 'function') return how(value, { name });
      if (how === 'text') return said ?? String(value);
      if (how === 'regex') return Array.isArray(value) ? `(${value.join('|')})` : value.replace('.', '\\.');
      return Array.isArray(value) ? `{${value.join()}}` : value;
    });

const replace = replaceIn({
  one: { value: 'douyin' },
  many: { value: ['douyin', 'wechat'] },
  every: { value: ['douyin', 'wechat', 'web'], text: 'All' },
  named: { value: ['All'], text: 'All' },
  none: { value: [] },
  blank: { value: '' },
  dotted: { value: 'a.b' },
  kpi: { value: ['plays', 'ctr'] },
  cut: { value: 'channel,device' },
  total: { value: 'total' },
  span: { value: '1h' },
});

const query = (changes: Partial<Query>): Query => ({ refId: 'A', ...changes });
const filtered = (...values: string[]) =>
  applied(query({ filters: [{ field: 'channel', op: '=', values }] }), replace, {}).filters;
const by = (...values: string[]): Filter[] => [{ field: 'channel', op: '=', values }];

test('a list takes every value of a variable', () => {
  assert.deepEqual(filtered('$one'), by('douyin'));
  assert.deepEqual(filtered('$many'), by('douyin', 'wechat'));
  assert.deepEqual(filtered('$many', 'douyin', 'web'), by('douyin', 'wechat', 'web'));
  assert.deepEqual(filtered('live-${many}'), by('live-douyin', 'live-wechat'));
  assert.deepEqual(filtered('$many/$one'), by('douyin/douyin', 'wechat/douyin'));
  assert.deepEqual(filtered('plain', '$unknown'), by('plain', '$unknown'));
});

test('a filter at All, or by a variable without a value, is left out', () => {
  assert.deepEqual(filtered('$every'), []);
  assert.deepEqual(filtered('$every', 'web'), []);
  assert.deepEqual(filtered('$__all'), []);
  assert.deepEqual(filtered('$none'), []);
  assert.deepEqual(filtered('$blank'), []);
});

test('a value that is called All is one', () => {
  assert.deepEqual(filtered('$named'), by('All'));
});

test('an empty text is a value, too', () => {
  assert.deepEqual(filtered(''), by(''));
});

test('what a panel is repeated for goes before the dashboard', () => {
  const asked = applied(query({ filters: by('$every') }), replace, { every: { value: 'web', text: 'web' } });
  assert.deepEqual(asked.filters, by('web'));
});

test('in an expression the values of variables are plain texts', () => {
  const matched = (value: string) =>
    applied(query({ filters: [{ field: 'channel', op: '=~', values: [value] }] }), replace, {}).filters?.[0]?.values;
  assert.deepEqual(matched('$many'), ['(douyin|wechat)']);
  assert.deepEqual(matched('$dotted|x.*'), ['a\\.b|x.*']);
  assert.deepEqual(matched('$every'), undefined);
});

test('KPIs, window, breakdown, segment and days may be variables', () => {
  const asked = applied(
    query({ kpis: ['$kpi', 'plays'], window: '$span', by: ['$cut'], segment: '$one', active: '$one..$span' }),
    replace,
    {},
  );
  assert.deepEqual(asked, {
    refId: 'A',
    kpis: ['plays', 'ctr'],
    window: '1h',
    by: ['channel', 'device'],
    segment: 'douyin',
    active: 'douyin..1h',
  });
  assert.deepEqual(applied(query({ by: ['$total'] }), replace, {}).by, []);
});

test('what is absent stays absent, what has no variables stays as it is', () => {
  const plain = query({ kind: 'kpi', kpis: ['plays'], top: 3, live: true });
  assert.deepEqual(applied(plain, replace, {}), plain);
});

test('a variable may depend on others', () => {
  const asked = {
    refId: 'A',
    kind: 'values',
    kpi: 'plays',
    window: '$span',
    field: 'channel',
    filters: by('$every'),
  } as const;
  assert.deepEqual(appliedVariable({ ...asked, filters: by('$every') }, replace, {}), {
    ...asked,
    window: '1h',
    filters: [],
  });
});

test('texts with variables are told from those without', () => {
  assert.deepEqual(['$one', '${one}', '[[one]]', 'one', '5$', '$__all'].map(hasVariable), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
