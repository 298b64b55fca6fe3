import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf, addressOfAlert, completed, hrefOf, means, windowOf } from '../src/address.ts';
import type { Definition } from '../src/api.ts';

const link = '?kpi=ctr&window=5m&by=channel&channel=douyin&at=2026-11-23T03%3A00%3A45.000Z';
const address = {
  kpi: 'ctr',
  window: '5m',
  by: ['channel'],
  labels: { channel: 'douyin' },
  at: '2026-11-23T03:00:45.000Z',
};

test('a link names a KPI as the API does', () => {
  assert.deepEqual(addressOf(link), address);
  assert.deepEqual(addressOf('?kpi=ctr&channel=a&device=b'), {
    kpi: 'ctr',
    by: ['channel', 'device'],
    labels: { channel: 'a', device: 'b' },
  });
  assert.deepEqual(addressOf('?kpi=ctr&by=channel&by=device&lang=zh')?.by, ['channel', 'device']);
  assert.deepEqual(addressOf('?kpi=ctr&by=total'), { kpi: 'ctr', by: [], labels: {} });
  assert.equal(addressOf('?kpi=ctr&at=2026-11-22T10:00:00+08:00')?.at, '2026-11-22T10:00:00+08:00');
  assert.equal(addressOf('?lang=zh'), null);
});

test('what is written is what is read, and language and theme stay', () => {
  assert.deepEqual(addressOf(hrefOf(address, '').slice(2)), address);
  const named = { ...address, alert: '89d78ca1810652382cc69d8878864eb2' };
  assert.deepEqual(addressOf(hrefOf(named, '').slice(2)), named);
  assert.deepEqual(addressOf(`${link}#tiles`), address, 'a part of the page is no alert');
  assert.equal(hrefOf({ kpi: 'dau', by: [], labels: {} }, '?lang=zh&kpi=ctr'), './?kpi=dau&lang=zh');
  assert.equal(hrefOf(null, '?theme=dark&kpi=ctr&at=1'), './?theme=dark');
  assert.equal(hrefOf(null, '?kpi=ctr'), './');
});

test('an alert leads to its series', () => {
  const labels = { alertname: 'Low', by: 'channel', channel: 'douyin', severity: 'page', window: '1m' };
  const found = addressOfAlert('ctr', { id: 'a1', labels, annotations: {} });
  assert.deepEqual(found, { kpi: 'ctr', window: '1m', by: ['channel'], labels: { channel: 'douyin' }, alert: 'a1' });
  assert.ok(means(found, 'ctr', labels));
  assert.ok(!means(found, 'ctr', { ...labels, channel: 'wechat' }));
  assert.ok(!means(found, 'plays', labels));
  assert.ok(!means(null, 'ctr', labels));
  assert.deepEqual(addressOfAlert('ctr', { id: 'a1', labels: { by: 'total' }, annotations: { window: '1h' } }).by, []);
});

test('a KPI without a total is looked at by its first breakdown', () => {
  const by = (...by: string[][]) => ({ by }) as Definition;
  const plain = { kpi: 'a', by: [], labels: {} };
  assert.equal(completed(plain, by([], ['channel'])), plain);
  assert.deepEqual(completed(plain, by(['state'], ['state', 'channel'])).by, ['state']);
  const named = { ...plain, by: ['channel'] };
  assert.equal(completed(named, by(['state'], ['channel'])), named);
});

test('without a window it is the one that the API takes', () => {
  const windows = (...windows: string[]) => ({ windows }) as Definition;
  assert.equal(windowOf({ kpi: 'a', by: [], labels: {} }, windows('1m', '5m')), '5m');
  assert.equal(windowOf({ kpi: 'a', by: [], labels: {} }, windows('15m', 'day')), '15m');
  assert.equal(windowOf({ kpi: 'a', by: [], labels: {}, window: '1h' }, windows('5m')), '1h');
});
