import assert from 'node:assert/strict';
import test from 'node:test';
import { Pace } from '../src/pace.ts';

const settle = () => new Promise<void>((done) => setImmediate(done));

test('kicks within a gap are one run, and the last of them is not lost', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
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

test('who is in a hurry does not wait for the gap, nor for the end of a run twice', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let runs = 0;
  let finish = () => {};
  const pace = new Pace(10_000, () => {
    runs++;
    return new Promise<void>((done) => (finish = done));
  });
  pace.kick();
  t.mock.timers.tick(0);
  pace.hurry();
  t.mock.timers.tick(100);
  assert.equal(runs, 1);
  finish();
  await settle();
  t.mock.timers.tick(0);
  assert.equal(runs, 2);
  finish();
  await settle();
  pace.kick();
  t.mock.timers.tick(100);
  assert.equal(runs, 2);
  pace.hurry();
  t.mock.timers.tick(0);
  assert.equal(runs, 3);
});
