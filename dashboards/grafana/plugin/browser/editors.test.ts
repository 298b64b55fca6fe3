// The built plugin in a real Chromium, with Grafana's libraries, over a real service.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { Service } from '../../../web/browser/service.ts';
import { startService, until } from '../../../web/browser/service.ts';
import type { Definition, Query } from '../src/types.ts';
import { startChromium } from './chromium.ts';
import type { Grafana } from './grafana.ts';
import { startGrafana } from './grafana.ts';

let service: Service;
let grafana: Grafana;
let browser: Browser;
let definitions: Definition[];
const complaints: string[] = [];

const kept = (name: string) => definitions.find((kpi) => kpi.name === name)!;

before(async () => {
  service = await startService();
  await send(visits(Date.now()));
  definitions = await api<Definition[]>('kpis');
  grafana = await startGrafana(service.url);
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await grafana?.stop();
  await service?.stop();
});

async function api<T>(path: string): Promise<T> {
  const response = await fetch(`${service.url}/api/v1/${path}`);
  return ((await response.json()) as { data: T }).data;
}

async function send(events: string[]): Promise<void> {
  const response = await fetch(`${service.url}/v1/events`, { method: 'POST', body: events.join('\n') });
  assert.equal(response.status, 200);
  const counted = async () => (await api<{ total: { counted: number } }>('ledger')).total.counted;
  await until('the ledger', counted, (seen) => seen === events.length);
}

/** visits are plays on two channels. */
function visits(now: number): string[] {
  const channels = ['douyin', 'wechat'];
  return Array.from({ length: 20 }, (_, user) =>
    JSON.stringify({
      id: `p${user}`,
      time: now - 1_000 + user,
      type: 'play',
      user_id: `u${user}`,
      channel: channels[user % 2],
      device: 'ios',
      watch_ms: 9_000,
      duration_ms: 10_000,
    }),
  );
}

interface Given {
  editor?: 'query' | 'annotation' | 'variable' | 'config';
  lang?: string;
  theme?: 'dark';
  app?: string;
  width?: number;
}

/** open shows an editor with what is stored. */
async function open(stored: object, { width = 900, ...given }: Given = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Grafana's fonts are not in its libraries, nor are all of its icons.
    const at = message.location().url;
    if (message.type() === 'error' && !at.includes('/public/')) complaints.push(`${message.text()} ${at}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(grafana.url)) complaints.push(`an editor asked for ${request.url()}`);
  });
  await page.goto(`${grafana.url}?${new URLSearchParams({ ...given, stored: JSON.stringify(stored) })}`);
  await page.locator('main :is(input, button)').first().waitFor();
  return page;
}

/** ask opens the editor of a query, once it knows the catalogue. */
async function ask(query: Partial<Query>, given: Given = {}): Promise<Page> {
  const page = await open({ refId: 'A', ...query }, given);
  await page.getByRole('button').first().waitFor();
  return page;
}

const stored = <T = Query>(page: Page) => page.evaluate(() => window.page.stored) as Promise<T>;
/** stores waits until that is stored, or that part of it. */
const stores = (page: Page, want: unknown, part: (query: Query) => unknown = (query) => query) =>
  until(
    'what is stored',
    async () => part(await stored(page)),
    (seen) => isDeepStrictEqual(seen, want),
  );
const options = (page: Page) => page.getByRole('option');
const choice = (page: Page, name: string) => page.getByRole('option', { name, exact: true });
/** choose clicks an option and waits until more is stored: a key on its heels would be heard in place of the click. */
async function choose(page: Page, name: string): Promise<void> {
  const before = await stored(page);
  await choice(page, name).click();
  await until(
    `what is stored with ${name}`,
    () => stored(page),
    (seen) => !isDeepStrictEqual(seen, before),
  );
}
const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });

async function labels(page: Page, label: string): Promise<string[]> {
  await field(page, label).click();
  await options(page).first().waitFor();
  return options(page).allInnerTexts();
}

/** faults are what is said to be wrong. */
const faults = (page: Page) => page.locator('main [role="alert"]').allInnerTexts();

test('a KPI is found by its title in either language, and by its name, with keys alone', async () => {
  for (const [lang, label, typed] of [
    ['en', 'KPIs', '点击率'],
    ['zh', '指标', 'click-through'],
    ['en', 'KPIs', 'ctr'],
  ] as const) {
    const page = await ask({ kind: 'kpi' }, { lang });
    await page.getByRole('combobox', { name: label }).focus();
    await page.keyboard.type(typed);
    const { title } = kept('ctr');
    await until(
      'one that is found',
      () => options(page).allInnerTexts(),
      ([first]) => first?.includes(title[lang]) === true,
    );
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await stores(page, { refId: 'A', kind: 'kpi', kpis: ['ctr'] });
    assert.equal(await page.evaluate(() => window.page.ran), 1);
    await page.close();
  }
});

test('windows and breakdowns are those that all KPIs keep', async () => {
  const page = await ask({ kpis: ['plays', 'gmv_paid'] });
  const common = kept('plays').windows.filter((window) => kept('gmv_paid').windows.includes(window));
  assert.equal((await labels(page, 'Window')).length, 1 + common.length + 3, 'its own, and three variables');
  await choose(page, 'Business day');
  await stores(page, { refId: 'A', kpis: ['plays', 'gmv_paid'], window: 'day' });
  const sets = await labels(page, 'Break down by');
  assert.ok(sets.includes('Channel') && sets.includes('Device') && !sets.includes('Currency'), sets.join());
  await choose(page, 'Channel');
  await stores(page, ['channel'], ({ by }) => by);
  await labels(page, 'Break down by');
  await choose(page, 'Total');
  await stores(page, { refId: 'A', kpis: ['plays', 'gmv_paid'], window: 'day' });
  assert.deepEqual(await faults(page), []);
  await page.close();
});

test('the values of a filter are those that the service has, and variables', async () => {
  const page = await ask({ kpis: ['plays'], window: '1h' });
  await page.getByRole('button', { name: 'Add filter' }).click();
  await labels(page, 'Filter 1: field');
  await choose(page, 'Channel');
  assert.deepEqual((await labels(page, 'Filter 1: values')).sort(), ['$channel', '$kpi', '$span', 'douyin', 'wechat']);
  await choose(page, 'wechat');
  await choose(page, '$channel');
  await page.keyboard.press('Escape');
  await stores(page, [{ field: 'channel', op: '=', values: ['wechat', '$channel'] }], ({ filters }) => filters);
  const { searchParams } = grafana.asked.at(-1)!;
  assert.deepEqual(
    ['kpi', 'window', 'field'].map((name) => searchParams.get(name)),
    ['plays', '1h', 'channel'],
  );
  const span = Number(searchParams.get('to')) - Number(searchParams.get('from'));
  assert.equal(span, 3_600_000);

  await labels(page, 'Filter 1: how');
  await choose(page, 'matches');
  await field(page, 'Filter 1: values').fill('we.*');
  await page.keyboard.press('Enter');
  await stores(page, [{ field: 'channel', op: '=~', values: ['we.*'] }], ({ filters }) => filters);
  await page.getByRole('button', { name: 'Remove the filter by Channel' }).click();
  await stores(page, { refId: 'A', kpis: ['plays'], window: '1h' });
  await page.close();
});

test('how numbers are shown is chosen among what the KPI has', async () => {
  const page = await ask({ kpis: ['ctr'] });
  await page.getByRole('radio', { name: 'Latest' }).check({ force: true });
  await labels(page, 'Value');
  await choose(page, 'Denominator');
  await labels(page, 'Compare with');
  await choose(page, 'Last week');
  await page.keyboard.press('Escape');
  await field(page, 'Largest').fill('0');
  await page.keyboard.press('Enter');
  assert.deepEqual(await faults(page), ['Give a whole number from 1 to 10000']);
  assert.ok(!('top' in (await stored(page))), 'what is wrong is not stored');
  await field(page, 'Largest').fill('3');
  await page.keyboard.press('Enter');
  for (const name of ['Bounds', /^Live/]) await page.getByRole('checkbox', { name }).check({ force: true });
  assert.equal(await page.getByRole('checkbox', { name: 'Minor units' }).count(), 0, 'it is no amount');
  await stores(page, {
    refId: 'A',
    kpis: ['ctr'],
    show: 'latest',
    value: 'denominator',
    compare: ['last_week'],
    top: 3,
    bounds: true,
    live: true,
  });
  await page.close();
});

test('what is stored and not had is said, and stays', async () => {
  const query: Query = {
    refId: 'A',
    kpis: ['plays', 'gone'],
    window: '2m',
    by: ['creator_id'],
    value: 'low',
    live: true,
    show: 'table',
  };
  const page = await ask(query);
  const said = await faults(page);
  for (const words of ['Tidewatch has no KPI gone', '2 min is not kept', 'Not kept by Creator', 'Lower bound'])
    assert.ok(
      said.some((text) => text.includes(words)),
      `${words}: ${said.join('; ')}`,
    );
  assert.equal(await page.getByText('Only series and the latest value of the live window are live').count(), 1);
  assert.equal(await field(page, 'Window').inputValue(), '2 min');
  assert.equal(await field(page, 'Break down by').inputValue(), 'Creator');
  await stores(page, query);
  await labels(page, 'Window');
  await choose(page, '1 h');
  await stores(page, { ...query, window: '1h' });
  await page.close();
});

test('a variable is judged by what it is just now', async () => {
  const page = await ask({ kpis: ['$kpi'], window: '$span' });
  const wrong = (words: RegExp) =>
    until(
      'the fault',
      () => faults(page),
      (said) => words.test(said.join()),
    );
  await until(
    'no fault',
    () => faults(page),
    (said) => said.length === 0,
  );
  assert.equal(await field(page, 'Window').inputValue(), '$span');
  await page.evaluate(() => window.page.chooses('span', ['9m']));
  await page.getByRole('radio', { name: 'Table' }).check({ force: true });
  await wrong(/9 min is not kept/);

  assert.equal((await stored(page)).window, '$span');
  await page.close();
});

test('a filter at All is judged as if it were at a value', async () => {
  const page = await ask({
    kpis: ['plays'],
    by: ['device'],
    filters: [{ field: 'channel', op: '=', values: ['$channel'] }],
  });
  await until(
    'the fault',
    () => faults(page),
    (said) => said.join() === 'Not kept by Channel beside Device',
  );
  await page.close();
});

test('presets are whole questions that the KPIs can answer', async () => {
  const page = await ask({ kpis: ['plays'], window: '5m', top: 3 });
  for (const [name, want] of [
    [
      'Retention triangle',
      {
        kpis: ['retention_d1', 'retention_d3', 'retention_d7', 'retention_d14', 'retention_d30'],
        window: 'day',
        show: 'triangle',
      },
    ],
    ['Funnel', { kpis: ['funnel'], window: '24h', show: 'latest' }],
    ['Lifecycle', { kpis: ['lifecycle'], window: 'day' }],
    ['Users at risk', { kind: 'users', segment: 'at_risk' }],
  ] as const) {
    await page.getByRole('button', { name, exact: true }).click();
    await stores(page, { refId: 'A', kind: 'kpi', ...want });
    assert.deepEqual(await faults(page), [], name);
  }
  await page.close();
});

test('users are chosen by segment, days and fields', async () => {
  const page = await ask({ kind: 'users' }, { lang: 'zh-Hans' });
  assert.deepEqual(await faults(page), ['请选择分群，或填写活跃日期']);
  await field(page, '活跃日期').fill('2026-11');
  await page.keyboard.press('Enter');
  assert.match((await faults(page)).join(), /请输入一天/);
  await field(page, '活跃日期').fill('2026-11-01..2026-11-07');
  await page.keyboard.press('Enter');
  await labels(page, '分群');
  await choose(page, '流失风险');
  await page.getByRole('button', { name: '添加筛选' }).click();
  await labels(page, '筛选 1：字段');
  await choose(page, '渠道');
  assert.ok((await labels(page, '筛选 1：取值')).includes('$channel'));
  await stores(page, {
    refId: 'A',
    kind: 'users',
    active: '2026-11-01..2026-11-07',
    segment: 'at_risk',
    filters: [{ field: 'channel', op: '=', values: [] }],
  });
  assert.deepEqual(await faults(page), []);
  await page.close();
});

test('annotations are alerts, or restated windows of a KPI', async () => {
  const page = await open({ refId: 'Anno', kind: 'alerts' }, { editor: 'annotation' });
  assert.equal(await page.getByRole('radio').count(), 2);
  await page.getByRole('radio', { name: 'Restatements' }).check({ force: true });
  await labels(page, 'KPIs');
  await page.getByRole('combobox', { name: 'KPIs' }).fill('ctr');
  await until(
    'one that is found',
    () => options(page).allInnerTexts(),
    ([first]) => first?.startsWith(kept('ctr').title.en) === true,
  );
  await options(page).first().click();
  await stores(page, { refId: 'Anno', kind: 'revisions', kpis: ['ctr'] });
  await page.close();
});

test('an alert rule asks for no live numbers', async () => {
  const page = await ask({ kpis: ['plays'] }, { app: 'unified-alerting' });
  assert.equal(await page.getByRole('checkbox', { name: 'Live' }).count(), 0);
  await page.close();
});

test('a variable is the values of a field, or names of KPIs', async () => {
  const page = await open({ refId: 'v' }, { editor: 'variable' });
  await labels(page, 'KPI');
  await field(page, 'KPI').fill('plays)');
  await choose(page, 'Plays (plays)');
  await labels(page, 'Field');
  await choose(page, 'Channel');
  await stores(page, { refId: 'v', kpi: 'plays', field: 'channel' });
  await page.getByRole('radio', { name: 'Names of KPIs' }).check({ force: true });
  await stores(page, 'kpis', ({ kind }) => kind);

  const optionsOf = (name: string) => page.evaluate((name) => window.page.optionsOf(name), name);
  const channels = await until(
    'the values',
    () => optionsOf('channel'),
    (seen) => seen.length > 0,
  );
  assert.deepEqual(
    channels,
    ['douyin', 'wechat'].map((value) => ({ label: value, value })),
  );
  const names = await until(
    'the names',
    () => optionsOf('kpi'),
    (seen) => seen.length > 0,
  );
  assert.deepEqual(
    names.find(({ value }) => value === 'ctr'),
    { label: kept('ctr').title.en, value: 'ctr' },
  );
  assert.equal(names.length, definitions.length);
  await page.close();
});

test('a panel asks with the values of its variables, and not at all for nothing', async () => {
  const page = await open({ refId: 'A' });
  const sends = async (query: Query, past = false) => {
    const before = grafana.sent.length;
    await page.evaluate(([query, past]) => window.page.asks(query, past), [query, past] as const);
    const { refId: _, datasource: __, ...sent } = grafana.sent[before] as Query & Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(sent).filter(([name]) => ['kpis', 'filters', 'by', 'window', 'live'].includes(name)),
    );
  };
  const filter = (...values: string[]) => [{ field: 'channel', op: '=' as const, values }];
  const query: Query = { refId: 'A', kpis: ['$kpi'], window: '$span', filters: filter('$channel'), live: true };
  await until(
    'all',
    () => page.evaluate(() => window.page.optionsOf('channel')),
    (seen) => seen.length === 2,
  );
  assert.deepEqual(await sends(query), { kpis: ['plays'], window: '5m', filters: [], live: true });
  await page.evaluate(() => window.page.chooses('channel', ['douyin', 'wechat']));
  assert.deepEqual((await sends(query))['filters'], filter('douyin', 'wechat'));
  await page.evaluate(() => window.page.chooses('channel', ['wechat']));
  assert.deepEqual((await sends(query))['filters'], filter('wechat'));
  assert.deepEqual(
    (await sends({ ...query, filters: [{ field: 'channel', op: '=~', values: ['$channel.*'] }] }))['filters'],
    [{ field: 'channel', op: '=~', values: ['wechat.*'] }],
  );
  assert.ok(!('live' in (await sends(query, true))), 'nothing is added to the past');
  const whole = (query: Query) => page.evaluate((query) => window.page.datasource.filterQuery(query), query);
  assert.deepEqual(
    [await whole(query), await whole({ refId: 'A' }), await whole({ ...query, hide: true })],
    [true, false, false],
  );
  await page.close();
});

test('points of series follow each other, a latest value takes the place of the one before', async () => {
  const page = await open({ refId: 'A' });
  const live: Query = { refId: 'A', kpis: ['plays'], live: true };
  await page.evaluate(async (live) => {
    await window.page.asks(live, false);
    await window.page.asks({ ...live, show: 'latest' }, false);
    await window.page.asks(live, true);
  }, live);
  assert.deepEqual(await page.evaluate(() => window.page.followed), [
    // What was there before, and a row a second of an hour.
    { path: 'kpi/x', action: 'append', rows: 3600 },
    { path: 'kpi/x', action: 'replace', rows: 100 },
  ]);
  await page.close();
});

test('the module is one that the loader of Grafana knows by its first words', async () => {
  const module = await (await fetch(`${grafana.url}module.js`)).text();
  assert.match(module, /^define\(\["module"(,"[^"]+")+\], function/);
});

test('the service, its token and the language of titles are set', async () => {
  const settings = {
    uid: 'tidewatch',
    url: '',
    access: 'proxy',
    jsonData: {},
    secureJsonFields: {},
    secureJsonData: {},
    readOnly: false,
    basicAuth: false,
    withCredentials: false,
  };
  const page = await open(settings, { editor: 'config' });
  await page.getByPlaceholder('http://127.0.0.1:8080').fill('http://tidewatch:8080');
  await page.getByLabel('Token').fill('secret');
  await page.getByRole('radio', { name: '中文' }).check({ force: true });
  const set = await stored<typeof settings & { jsonData: unknown }>(page);
  assert.deepEqual(
    [set.url, set.jsonData, set.secureJsonData],
    ['http://tidewatch:8080', { language: 'zh' }, { token: 'secret' }],
  );
  await page.close();

  const later = await open({ ...settings, secureJsonFields: { token: true } }, { editor: 'config' });
  assert.ok(await later.getByLabel('Token').isDisabled());
  await later.getByRole('button', { name: 'Reset' }).click();
  assert.deepEqual((await stored<typeof settings>(later)).secureJsonFields, { token: false });
  await later.close();
});

const full: Query = {
  refId: 'A',
  kpis: ['ctr', 'plays', 'completion_rate', 'gmv_paid'],
  window: '2m',
  filters: [{ field: 'channel', op: '=', values: ['douyin', '$channel'] }],
  compare: ['previous', 'yesterday'],
  bounds: true,
};

for (const [name, query, given] of [
  ['a query', full, {}],
  ['a query in Chinese', full, { lang: 'zh' }],
  ['users', { kind: 'users', segment: 'at_risk', filters: full.filters }, {}],
  ['an annotation', { kind: 'revisions', kpis: ['plays'] }, { editor: 'annotation' }],
  ['a variable', { kpi: 'plays', field: 'channel' }, { editor: 'variable' }],
] as const) {
  test(`the editor of ${name} has room on a phone, and a name for every control`, async () => {
    const page = await open({ refId: 'A', ...query }, { width: 320, theme: 'dark', ...given });
    await page.waitForLoadState('networkidle');
    const wide = await page
      .locator('main *')
      .evaluateAll((all) =>
        all.filter((one) => one.getBoundingClientRect().right > 320).map(({ outerHTML }) => outerHTML.slice(0, 200)),
      );
    assert.deepEqual(wide, []);
    const nameless = await page
      .locator('main :is(input, button)')
      .evaluateAll((all) =>
        (all as HTMLInputElement[])
          .filter(
            (one) =>
              !one.labels?.length &&
              !one.ariaLabel &&
              !one.getAttribute('aria-labelledby') &&
              !one.textContent &&
              !one.title,
          )
          .map(({ outerHTML }) => outerHTML.slice(0, 200)),
      );
    assert.deepEqual(nameless, []);
    await page.close();
  });
}

test('the browser has nothing to complain about', () => {
  assert.deepEqual(complaints, []);
});

test('without an answer of the service the stored choices stay in sight', async () => {
  await service.stop();
  const page = await open({ refId: 'A', kpis: ['plays'], window: '5m' });
  await page.getByText('The KPIs cannot be listed').waitFor();
  assert.equal(await field(page, 'Window').inputValue(), '5 min');
  await stores(page, { refId: 'A', kpis: ['plays'], window: '5m' });
  await page.close();
});
