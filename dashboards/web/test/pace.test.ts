import assert from 'node:assert/strict';
import test from 'node:test';
import { Pace } from '../src/pace.ts';

test('kicks within a gap are one run, and the last of them is not lost', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const settle = () => new Promise<void>((done) => setImmediate(done));
  let runs = 0;
  const pace = new Pace(1_000, async () => void runs++);

  pace.kick();
  pace.kick();
  t.mock.timers.tick(0);
  await settle();
  assert.equal(runs, 1);

  pace.kick();
  pace.kick();
  t.mock.timers.tick(999);
  await settle();
  assert.equal(runs, 1);
  t.mock.timers.tick(1);
  await settle();
  assert.equal(runs, 2);
});

test('a kick during a run is one more run after it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const settle = () => new Promise<void>((done) => setImmediate(done));
  let runs = 0;
  let finish = () => {};
  const pace = new Pace(100, () => {
    runs++;
    return new Promise<void>((done) => (finish = done));
  });

  pace.kick();
  t.mock.timers.tick(0);
  pace.kick();
  pace.kick();
  t.mock.timers.tick(500);
  assert.equal(runs, 1);
  finish();
  await settle();
  t.mock.timers.tick(0);
  assert.equal(runs, 2);
});
