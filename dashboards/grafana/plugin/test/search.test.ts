import assert from 'node:assert/strict';
import test from 'node:test';
import { search } from '../src/search.ts';
import { catalogue } from './catalogue.ts';

const found = (typed: string) => search(catalogue, typed).map(({ name }) => name);

test('without a word all KPIs are listed, in the order of the catalogue', () => {
  assert.deepEqual(
    found(' '),
    catalogue.map(({ name }) => name),
  );
});

for (const [typed, want] of [
  ['ctr', ['ctr']],
  ['click', ['ctr']],
  ['CLICK-THROUGH', ['ctr']],
  ['点击', ['ctr']],
  ['留存', ['retention_d7', 'retention_d1', 'buyer_retention_d7']],
  ['7 留存', ['retention_d7', 'buyer_retention_d7']],
  ['retention', ['retention_d7', 'retention_d1', 'buyer_retention_d7']],
  ['buyer d7', ['buyer_retention_d7']],
  ['gmv 支付', ['gmv_paid']],
  ['nothing of this', []],
] as const) {
  test(`"${typed}" finds ${want.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(found(typed), want);
  });
}

test('what begins with a word stands before what has it inside', () => {
  assert.deepEqual(found('d').slice(0, 2), ['dau', 'retention_d7']);
});

test('a heading finds its KPIs', () => {
  assert.equal(found('audience').length, catalogue.length);
  assert.equal(found('用户规模').length, catalogue.length);
});
