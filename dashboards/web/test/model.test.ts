import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf } from '../src/address.ts';
import type { Definition } from '../src/api.ts';
import type { Figure } from '../src/model.ts';
import { figureMeant, keeps, keyOf, newModel } from '../src/model.ts';

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

test('the total of now is the figure that tiles and rows show; a series and the past have their own', () => {
  const [shared, own]: Figure[] = [{ warnings: ['shared'] }, { warnings: ['own'] }];
  const meant = (search: string) =>
    figureMeant({
      ...newModel('en'),
      address: addressOf(search),
      figures: new Map([[keyOf('ctr', '5m'), shared!]]),
      focus: { figure: own!, others: own!, marks: [], band: [], past: [] },
    });
  assert.equal(meant('?kpi=ctr'), shared);
  assert.equal(meant('?kpi=ctr&by=channel'), shared);
  assert.equal(meant('?kpi=ctr&window=1h'), undefined);
  assert.equal(meant('?kpi=ctr&channel=douyin'), own);
  assert.equal(meant('?kpi=ctr&at=2026-11-22'), own);
});
