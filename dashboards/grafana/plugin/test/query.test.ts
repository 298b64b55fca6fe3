import assert from 'node:assert/strict';
import test from 'node:test';
import { begin, change, isAsked, isWhole } from '../src/query.ts';
import type { Query } from '../src/types.ts';

const stored: Query = { refId: 'A', kind: 'kpi', kpis: ['plays'], window: '5m', live: true };

test('a choice changes what it is about, and nothing else', () => {
  assert.deepEqual(change(stored, { window: '1h' }), { ...stored, window: '1h' });
  assert.deepEqual(change(stored, { top: 5, compare: ['yesterday'] }), { ...stored, top: 5, compare: ['yesterday'] });
  assert.equal(stored.window, '5m', 'what was stored is another query');
});

test('a choice of nothing is not stored', () => {
  const { window: _, live: __, ...rest } = stored;
  assert.deepEqual(change(stored, { window: '', live: false, by: [], top: undefined }), rest);
});

test('what somebody else stored is left alone', () => {
  const odd = { ...stored, by: [], later: 1 } as Query;
  assert.deepEqual(change(odd, { window: '1h' }), { ...odd, window: '1h' });
});

test('a preset asks anew, in the same place', () => {
  const placed: Query = {
    ...stored,
    datasource: { uid: 'x' },
    hide: true,
    filters: [{ field: 'a', op: '=', values: [] }],
  };
  const want: Query = { refId: 'A', datasource: { uid: 'x' }, hide: true, kind: 'users', segment: 'at_risk' };
  assert.deepEqual(begin(placed, { kind: 'users', segment: 'at_risk' }), want);
});

for (const [query, whole] of [
  [{}, false],
  [{ kpis: [] }, false],
  [{ kpis: ['plays'] }, true],
  [{ kind: 'revisions' }, false],
  [{ kind: 'revisions', kpis: ['plays'] }, true],
  [{ kind: 'users', kpis: ['plays'] }, false],
  [{ kind: 'users', segment: 'at_risk' }, true],
  [{ kind: 'users', active: '2026-11-01' }, true],
  [{ kind: 'users', notActive: '2026-11-01' }, false],
  [{ kind: 'alerts' }, true],
  [{ kind: 'freshness' }, true],
] as const) {
  test(`${JSON.stringify(query)} is ${whole ? '' : 'not '}asked`, () => {
    assert.equal(isWhole({ refId: 'A', ...query } as Query), whole);
  });
}

test('filters without a value, and at All, leave nothing out', () => {
  const filter = (values: string[]) => isAsked({ field: 'channel', op: '=', values });
  assert.deepEqual([filter([]), filter(['$__all']), filter(['']), filter(['$__all', 'a'])], [false, false, true, true]);
});
