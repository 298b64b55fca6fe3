import assert from 'node:assert/strict';
import test from 'node:test';
import type { Definition } from '../src/api.ts';
import { keeps, newModel } from '../src/model.ts';
import { missingText, tiles } from '../src/tiles.ts';

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

test('tiles that are left out are named', () => {
  const model = newModel('en');
  assert.equal(missingText(model), '');
  model.definitions = new Map(tiles.slice(2).map(({ kpi, window }) => define(kpi, [window])));
  assert.match(missingText(model), /^Not shown, because the catalogue lacks them: Active users, DAU\. /);
});
