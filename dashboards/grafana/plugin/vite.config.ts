import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vite';

const root = import.meta.dirname;

/** What Grafana has, and hands to every plugin. */
const shared = ['@emotion/css', '@grafana/data', '@grafana/runtime', '@grafana/ui', 'react', 'rxjs'];

/** The kind of module that Grafana's loader takes is AMD, which the bundler does not write: CommonJS is put into one. */
const amd = {
  postBanner: `define(${JSON.stringify(['module', ...shared])}, function (module, ...found) {
const exports = module.exports, require = (name) => found[${JSON.stringify(shared)}.indexOf(name)];`,
  postFooter: '});',
};

/** beside puts what belongs to a plugin beside its module. */
const beside = (): Plugin => ({
  name: 'beside',
  closeBundle() {
    const into = (name: string) => resolve(root, 'dist', name);
    const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
    const said = readFileSync(resolve(root, 'src/plugin.json'), 'utf8')
      .replace('%VERSION%', version)
      .replace('%TODAY%', new Date().toISOString().slice(0, 10));
    writeFileSync(into('plugin.json'), said);
    cpSync(resolve(root, 'src/img'), into('img'), { recursive: true });
    for (const name of ['README.md', 'CHANGELOG.md']) cpSync(resolve(root, name), into(name));
    cpSync(resolve(root, '../../../LICENSE'), into('LICENSE'));
  },
});

export default defineConfig({
  plugins: [beside()],
  // The elements must be made by Grafana's React, whichever that is.
  oxc: { jsx: { runtime: 'classic' } },
  build: {
    lib: { entry: resolve(root, 'src/module.ts'), formats: ['cjs'], fileName: () => 'module.js' },
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: { external: shared, output: { exports: 'named', ...amd } },
  },
});
