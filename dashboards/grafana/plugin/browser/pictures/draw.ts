// Draws dashboards over a running demo: docs/grafana/NAME.png, and of a long one NAME-2.png and so on.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ProxyOptions } from 'vite';
import { startChromium } from '../chromium.ts';
import { serve } from '../serve.ts';
import type { Dashboard } from './dashboard.ts';

const here = import.meta.dirname;
const into = resolve(here, '../../../../../docs/grafana');
const icons = resolve(here, '../../node_modules/@grafana/ui/dist/public/img');
/** Grafana's font is not in its libraries; the live page has it. */
const inter = resolve(
  here,
  '../../../../web/node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2',
);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    prometheus: { type: 'string' },
    from: { type: 'string', default: resolve(here, '../../../en') },
  },
});
if (!values.url) throw new Error('--url is missing: where a demo runs, such as http://127.0.0.1:8080');

/** The addresses of the data sources, by uid. */
const sources: Record<string, string> = { tidewatch: `${values.url}/prometheus` };
if (values.prometheus) sources['prometheus'] = values.prometheus;
const proxies = Object.entries(sources).map(([uid, target]): [string, ProxyOptions] => [
  `/${uid}/`,
  { target, changeOrigin: true, rewrite: (path) => path.slice(uid.length + 1) },
]);

const page = await serve('pictures', { preview: { proxy: Object.fromEntries(proxies) } });
const browser = await startChromium();
try {
  const all = readdirSync(values.from).map((file) => basename(file, '.json'));
  for (const name of positionals.length > 0 ? positionals : all) await draw(name);
} finally {
  await browser.close();
  await page.stop();
}

async function draw(name: string): Promise<void> {
  const dashboard = JSON.parse(readFileSync(resolve(values.from, `${name}.json`), 'utf8')) as Dashboard;
  const uid = String(dashboard.templating.list.find(({ type }) => type === 'datasource')?.current.value);
  if (!sources[uid]) return console.log(`${name} is left as it is: it needs --${uid}`);
  const tab = await browser.newPage({ viewport: { width: 1600, height: 2000 } });
  const faults: string[] = [];
  tab.on('pageerror', ({ message }) => faults.push(message));
  await tab.route('**/public/fonts/inter/*', (route) => route.fulfill({ path: inter }));
  await tab.route('**/public/build/img/**', (route) =>
    route.fulfill({ path: resolve(icons, route.request().url().split('/build/img/')[1]!) }),
  );
  await tab.goto(page.url);
  await tab.waitForFunction(() => 'draw' in window);
  await tab.evaluate((dashboard) => window.draw(dashboard), dashboard);
  if (faults.length > 0) throw new Error(`draw ${name}: ${faults.join('\n')}`);
  for (const old of readdirSync(into)) {
    if (new RegExp(`^${name}(-\\d+)?\\.png$`).test(old)) rmSync(resolve(into, old));
  }
  for (const [part, section] of (await tab.locator('#root > section').all()).entries()) {
    const path = resolve(into, part === 0 ? `${name}.png` : `${name}-${part + 1}.png`);
    await section.screenshot({ path });
    console.log(path);
  }
  await tab.close();
}
