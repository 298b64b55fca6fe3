import assert from 'node:assert/strict';
import test from 'node:test';
import type { Definition } from '../src/api.ts';
import { keeps } from '../src/model.ts';

const define = (name: string, windows: string[], by: string[][] = [[]]) =>
  [name, { name, windows, by }] as [string, Definition];

test('only what the catalogue keeps is asked for', () => {
  const definitions = new Map([define('plays', ['5m', '1h'], [[], ['channel'], ['channel', 'device']])]);
  assert.ok(keeps({ definitions }, 'plays', '5m'));
  assert.ok(keeps({ definitions }, 'plays', '5m', 'channel'));
  assert.ok(keeps({ definitions }, 'plays', '1h', 'channel,device'));
  assert.ok(!keeps({ definitions }, 'plays', 'day'));
  assert.ok(!keeps({ definitions }, 'plays', '5m', 'device'));
  assert.ok(!keeps({ definitions }, 'ctr', '5m'));
  assert.ok(keeps({ definitions: new Map() }, 'ctr', '5m'), 'before the catalogue is known');
});
