import assert from 'node:assert/strict';
import test from 'node:test';
import { choicesOf, keeperOf, segmentsOf, userFields } from '../src/choices.ts';
import type { Filter, Query } from '../src/types.ts';
import { catalogue } from './catalogue.ts';

const choices = (query: Partial<Query>) => choicesOf({ refId: 'A', ...query }, catalogue);
const only = (field: string, ...values: string[]): Filter => ({ field, op: '=', values });

test('several KPIs offer what all of them keep', () => {
  const { windows, sets } = choices({ kpis: ['plays', 'gmv_paid'] });
  assert.deepEqual(windows, ['1h', 'day']);
  assert.deepEqual(sets, [[], ['channel']]);
  assert.deepEqual(choices({ kpis: ['plays', 'dau'] }).windows, ['day']);
});

test('without a KPI there is nothing to choose', () => {
  const { windows, sets, fields } = choices({});
  assert.deepEqual([windows, sets, fields], [[], [], []]);
});

test('a field that is told apart anyhow need not be asked for', () => {
  assert.deepEqual(choices({ kpis: ['funnel'] }).sets, [[], ['channel']]);
  assert.deepEqual(choices({ kpis: ['funnel'] }).fields, ['step', 'channel']);
});

test('a filter brings its field along', () => {
  assert.deepEqual(choices({ kpis: ['ctr'] }).fields, ['channel']);
  assert.deepEqual(choices({ kpis: ['ctr'], by: ['channel'] }).fields, ['channel', 'device']);
  const filtered = choices({ kpis: ['ctr'], filters: [only('channel', 'douyin')] });
  assert.deepEqual(filtered.sets, [[], ['channel'], ['channel', 'device'], ['device']]);
  assert.deepEqual(filtered.fields, ['device']);
});

test('a filter that leaves nothing out brings nothing along', () => {
  assert.deepEqual(choices({ kpis: ['plays'], filters: [only('channel')] }).sets, [[], ['channel'], ['device']]);
});

test('what is shown is what the KPIs have', () => {
  const { values, bounds, minor, shows } = choices({ kpis: ['plays'] });
  assert.deepEqual([values, bounds, minor], [['value', 'numerator', 'n'], false, false]);
  assert.deepEqual(shows, ['series', 'latest', 'table']);
  const share = choices({ kpis: ['ctr'] });
  assert.deepEqual(share.values, ['value', 'numerator', 'denominator', 'n', 'low', 'high']);
  assert.ok(share.bounds);
  assert.ok(choices({ kpis: ['plays', 'gmv_paid'] }).minor);
  assert.ok(choices({ kpis: ['plays', 'ctr'] }).bounds, 'where one has them');
});

test('a triangle is of days that are final later, and of days alone', () => {
  const shows = (...kpis: string[]) => choices({ kpis }).shows.includes('triangle');
  assert.deepEqual(
    [shows('retention_d1', 'retention_d7'), shows('retention_d1', 'plays'), shows('stickiness')],
    [true, false, false],
  );
  const drawn = choices({ kpis: ['retention_d1'], show: 'triangle' });
  assert.deepEqual([drawn.windows, drawn.compares, drawn.top, drawn.live], [['day'], [], false, false]);
});

test('series and the latest go on by themselves', () => {
  const live = (show: Query['show']) => choices({ kpis: ['plays'], ...(show && { show }) }).live;
  assert.deepEqual([live(undefined), live('latest'), live('table')], [true, true, false]);
});

test('users are told apart by the fields of active days', () => {
  assert.deepEqual(userFields(catalogue), ['acquisition_channel', 'channel']);
  assert.equal(keeperOf('channel', catalogue)?.name, 'retention_d7');
  assert.equal(keeperOf('device', catalogue), undefined);
});

test('segments by RFM are those of the catalogue', () => {
  assert.equal(segmentsOf(catalogue).length, 5);
  const rfm = { ...catalogue[0]!, from: 'rfm', texts: { segment: ['important_value'] } };
  assert.ok(segmentsOf([rfm]).includes('important_value'));
});
