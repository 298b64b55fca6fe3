import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literal } from '../src/api.ts';

test('values of fields are asked for as they are', () => {
  assert.deepEqual(literal({ channel: 'douyin', device: 'a,b', region: '~x\\y' }), {
    channel: 'douyin',
    device: 'a\\,b',
    region: '\\~x\\\\y',
  });
});
