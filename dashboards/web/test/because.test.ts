import assert from 'node:assert/strict';
import test from 'node:test';
import { becauseText } from '../src/because.ts';
import { inZone } from '../src/format.ts';

inZone('Asia/Shanghai');
const now = Date.UTC(2026, 10, 22, 4);

test('why something is as it is is said in the words of the page', () => {
  const late = { code: 'backlog', args: { time: '2026-11-22T03:00:00Z', length: '1h0m2s', count: 1200 } };
  assert.equal(becauseText('', [late], 'zh', now), '已判定到 11:00:00，落后当前时间 1 小时 2 秒：流中还有 1200 条消息待处理');
  const silent = [{ code: 'holds_not', args: {} }, { code: 'silent', args: { length: '3m0s' } }];
  assert.equal(becauseText('', silent, 'zh', now), '条件不成立；已有 3 分钟没有计入任何事件');
  assert.equal(becauseText('', silent, 'en', now), 'the condition does not hold; no event has been counted for 3 min');
});

test('without words of the page it is said in those of the service', () => {
  assert.equal(becauseText('answered 404', undefined, 'zh', now), 'answered 404');
  assert.equal(becauseText('waits for lanes', [{ code: 'holds_not', args: {} }, { code: 'lanes', args: {} }], 'zh', now), 'waits for lanes');
});
