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

test('behind what leads to something else stands that', () => {
  const answered = { code: 'answered', args: { status: 404 } };
  const givenUp = [{ code: 'given_up', args: { days: 7 } }, answered];
  assert.equal(becauseText('', givenUp, 'en', now), 'given up after 7 days: answered 404');
  assert.equal(becauseText('', givenUp, 'zh', now), '7 天后放弃：返回 404');
  const full = { code: 'disk', args: { dir: '/data', free: 3, needed: 256 } };
  const paused = [{ code: 'paused', args: { time: '2026-11-22T03:00:00Z', length: '2m0s' } }, full];
  assert.equal(becauseText('', paused, 'en', now), 'judged up to 11:00:00, 2 min behind the clock: no room on disk: 3 MiB free at /data, 256 MiB needed: make room');
  assert.equal(becauseText('', paused, 'zh', now), '已判定到 11:00:00，落后当前时间 2 分钟：磁盘空间不足：/data 剩余 3 MiB，需要 256 MiB，请腾出空间');
});

test('what a robot answered is said with what to do', () => {
  const answered = { code: 'robot_explained', args: { robot: 'DingTalk', status: 310000, error: 'sign not match' } };
  const reasons = [answered, { code: 'no_key_word', args: { word: 'Tidewatch' } }];
  assert.equal(becauseText('', reasons, 'en', now), 'DingTalk answered 310000 (sign not match): give the robot the key word Tidewatch, which all messages have');
  assert.equal(becauseText('', reasons, 'zh', now), 'DingTalk 返回 310000（sign not match）：请在机器人的安全设置中将 Tidewatch 设为关键词（每条消息都包含它）');
});

test('of one there is one', () => {
  const backlog = (count: number) => becauseText('', [{ code: 'backlog', args: { time: '2026-11-22T03:00:00Z', length: '2m0s', count } }], 'en', now);
  assert.match(backlog(1), /: 1 message waits in the stream$/);
  assert.match(backlog(2), /: 2 messages wait in the stream$/);
});

test('without words of the page it is said in those of the service', () => {
  assert.equal(becauseText('answered 404', undefined, 'zh', now), 'answered 404');
  assert.equal(becauseText('waits for lanes', [{ code: 'holds_not', args: {} }, { code: 'lanes', args: {} }], 'zh', now), 'waits for lanes');
});
