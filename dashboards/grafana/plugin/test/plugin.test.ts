import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const said = JSON.parse(read('src/plugin.json')) as { id: string; info: { logos: { small: string; large: string } } };
const own = JSON.parse(read('package.json')) as { name: string; version: string };

test('the package and the plugin are of one name', () => {
  assert.equal(own.name, said.id);
});

test('the drawings that plugin.json names are there', () => {
  for (const path of Object.values(said.info.logos))
    assert.ok(existsSync(new URL(`../src/${path}`, import.meta.url)), path);
});

test('the changelog tells of the version', () => {
  assert.ok(read('CHANGELOG.md').includes(`## ${own.version}`));
});
