// The page in a real Chromium against the real binary: what it shows is what the API says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Answer, Ledger, Sample } from '../src/api.ts';
import { formatValue } from '../src/format.ts';
import type { Unit } from '../src/format.ts';
import { faint } from './contrast.ts';
import type { Service } from './service.ts';
import { startService, until } from './service.ts';

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

let service: Service;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

before(async () => {
  if (!existsSync(chromiumPath)) throw new Error(`${chromiumPath} is missing: install Debian's package "chromium"`);
  service = await startService();
  browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  page.on('request', (request) => {
    if (!request.url().startsWith(service.url)) complaints.push(`the page asked for ${request.url()}`);
  });
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

function listen(to: Page): void {
  to.on('pageerror', (error) => complaints.push(error.message));
  to.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`${message.text()} ${message.location().url}`);
    }
  });
}

async function api<T>(path: string): Promise<T> {
  const response = await fetch(`${service.url}/api/v1/${path}`);
  const body = (await response.json()) as { status: string; data: T; error?: string };
  assert.equal(body.status, 'success', `${path}: ${body.error}`);
  return body.data;
}

const counted = async () => (await api<Ledger>('ledger')).total.counted;
const samples = async (path: string) => (await api<Answer>(`kpis/${path}`)).samples;

/** shown reads a number of the page, as text and as the value behind it, at one instant: the page goes on. */
async function shown(selector: string): Promise<{ text: string; value: string | null }> {
  return page
    .locator(selector)
    .evaluate((element) => ({
      text: (element as HTMLElement).innerText.trim(),
      value: element.getAttribute('data-value'),
    }));
}

/** agrees waits until the page shows what the API says now. */
async function agrees(selector: string, path: string, unit: Unit, pick = (all: Sample[]) => all[0]): Promise<Sample> {
  const look = async () => ({ want: pick(await samples(path)), got: await shown(selector) });
  const { want, got } = await until(
    `${selector} against ${path}`,
    look,
    (seen) => seen.want !== undefined && seen.got.value === String(seen.want.value),
  );
  assert.equal(got.text, formatValue(want!.value, unit, 'en', want!.currency));
  return want!;
}

const tile = (kpi: string) => `[data-kpi="${kpi}"] .value`;

test('without data the page shows a line that works as pasted', async () => {
  await page.goto(service.url);
  await page.locator('#empty').waitFor({ state: 'visible' });
  for (const value of await page.locator('.tile .value').allInnerTexts()) assert.equal(value, '–');
  const word = (id: string) => page.locator(id).innerText();
  await until(
    'the words',
    () => word('#alert-count'),
    (seen) => seen === 'No data yet',
  );
  assert.equal(await word('#connection'), 'No data yet');
  assert.equal(await page.locator('#channels tr').count(), 0);

  const line = await page.locator('#curl').innerText();
  const { stdout } = await promisify(execFile)('sh', ['-c', line]).catch((error: { code?: number }) => {
    throw new Error(error.code === 127 ? `curl is missing: install Debian's package "curl"` : String(error));
  });
  const answer = JSON.parse(stdout) as { data: { accepted: number; quarantined: number } };
  assert.deepEqual([answer.data.accepted, answer.data.quarantined], [6, 0]);

  await page.locator('#empty').waitFor({ state: 'hidden' });
  await until(
    'the first tile',
    () => shown(tile('active_users')),
    (seen) => seen.value === '2',
  );
  await until(
    'the words',
    () => word('#alert-count'),
    (seen) => seen === 'All quiet',
  );
  assert.equal(await word('#connection'), 'Live');
});

test('the page shows the numbers of the API', async () => {
  const before = await counted();
  const events = visits(Date.now());
  const response = await fetch(`${service.url}/v1/events`, { method: 'POST', body: events.join('\n') });
  assert.equal(response.status, 200);
  await until('the ledger', counted, (now) => now === before + events.length);

  const users = await agrees(tile('active_users'), 'active_users?window=5m', 'count');
  assert.equal(users.value, 42);
  await agrees(tile('dau'), 'dau?window=day', 'count');
  await agrees(tile('at_risk_users'), 'at_risk_users?window=day', 'count');
  const gmv = await agrees(tile('gmv_paid'), 'gmv_paid?window=day', 'money');
  assert.equal(gmv.value, 12_900 + 40 * 4_990);
  const completion = await agrees(tile('completion_rate'), 'completion_rate?window=5m', 'percent');
  assert.deepEqual([completion.numerator, completion.denominator], [1 + 30, 2 + 40]);
  const ctr = await agrees(tile('ctr'), 'ctr?window=5m', 'percent');
  assert.deepEqual([ctr.numerator, ctr.denominator], [1 + 20, 2 + 40]);

  const basis = await page.locator('[data-kpi="ctr"] .n').getAttribute('data-tip');
  assert.match(basis ?? '', /^21 of 42\n/);
});

test('the panels show the numbers of the API', async () => {
  const cell = (channel: string, kpi: string) => `[data-channel="${channel}"] [data-kpi="${kpi}"]`;
  for (const channel of ['douyin', 'wechat']) {
    const of = (all: Sample[]) => all.find((sample) => sample.labels['channel'] === channel);
    await agrees(cell(channel, 'plays'), 'plays?window=5m&by=channel', 'count', of);
    await agrees(cell(channel, 'completion_rate'), 'completion_rate?window=5m&by=channel', 'percent', of);
    await agrees(cell(channel, 'ctr'), 'ctr?window=5m&by=channel', 'percent', of);
    await agrees(cell(channel, 'active_users'), 'active_users?window=5m&by=channel', 'count', of);
  }
  const top = await agrees('#contents li:first-child .num', 'top_contents?window=1h&by=content_id', 'count');
  assert.equal(await page.locator('#contents li:first-child .content').innerText(), top.labels['content_id']);
  await until(
    'the ledger of the page',
    async () => ({ got: await shown('#verdicts [data-verdict="counted"] .num'), want: await counted() }),
    ({ got, want }) => got.value === String(want),
  );
});

test('the trend ends at the watermark', async () => {
  const label = await until(
    'the words of the trend',
    () => page.locator('[data-kpi="active_users"] .plot').getAttribute('aria-label'),
    (words) => /last 42$/.test(words ?? ''),
  );
  assert.match(label ?? '', /^Active users, \d\d:\d\d to \d\d:\d\d: lowest .*, highest 42, last 42$/);
  const days = await page.locator('[data-kpi="dau"] .plot').getAttribute('aria-label');
  assert.match(days ?? '', /^Daily active users, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: lowest 42, highest 42, last 42$/);
  assert.equal(await page.locator('#zone').innerText(), 'Times in Asia/Shanghai');
});

test('language and theme follow their switches', async () => {
  await page.getByRole('button', { name: '中文' }).click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  assert.equal(await page.locator('[data-kpi="ctr"] h2').innerText(), '点击率');
  const pay = {
    id: 'yen',
    time: Date.now(),
    type: 'pay',
    user_id: 'u9',
    order_id: 'yen',
    amount_minor: 500,
    currency: 'JPY',
  };
  await fetch(`${service.url}/v1/events`, { method: 'POST', body: JSON.stringify(pay) });
  const amounts = () => page.locator('[data-kpi="gmv_paid"] .amounts > span').allInnerTexts();
  const seen = await until('the amounts by currency', amounts, (all) => all.length === 2);
  assert.deepEqual(
    seen.map((one) => one.replace(/\s/g, '')),
    ['¥2,125.00CNY', '¥500JPY'],
  );
  assert.ok(!(await page.locator('[data-kpi="gmv_paid"] .value').isVisible()));
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.locator('#theme').click(); // light
  const light = await ground();
  await page.locator('#theme').click(); // dark
  assert.notEqual(await ground(), light);
});

test('what the catalogue lacks is left out, and not asked for', async () => {
  const bare = await startService('drop: [ctr, top_contents, lifecycle, retention_d7, funnel, rfm]\n');
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    await page.goto(bare.url);
    await page.locator('[data-kpi="dau"].tile').waitFor({ state: 'visible' });
    for (const gone of ['[data-kpi="ctr"].tile', '#contents']) assert.ok(!(await page.locator(gone).isVisible()), gone);
    assert.equal(await page.locator('.kpis [data-kpi="ctr"]').count(), 0);
    await fetch(`${bare.url}/v1/events`, { method: 'POST', body: visits(Date.now()).join('\n') });
    await page.locator('#channels tr').first().waitFor();
    await page.locator('#users').waitFor();
    assert.deepEqual(await page.locator('#users h2').allInnerTexts(), ['Retention', 'At risk and churned', 'At risk, by name']);
    const headings = await page.locator('#channels-head th:visible').allInnerTexts();
    assert.deepEqual(headings, ['Channel', 'Plays', 'Completion rate', 'Active users']);
    assert.equal(await page.locator('#channels tr:first-child td:visible').count(), 3);
  } finally {
    await page.close();
    await bare.stop();
  }
});

test('the rows of the catalogue show the numbers of the API', async () => {
  const headings = await page.locator('.group h2').allInnerTexts();
  assert.deepEqual(headings, ['用户', '内容', '商业', '满意度']);
  const row = (kpi: string) => `.kpis [data-kpi="${kpi}"]`;
  for (const kpi of ['plays', 'completion_rate', 'dau', 'churned_users']) {
    await page.locator(row(kpi)).scrollIntoViewIfNeeded(); // what is out of sight is fetched once a minute
    const [want] = await samples(`${kpi}?window=day`);
    await until(
      kpi,
      () => shown(`${row(kpi)} .today .num`),
      (seen) => seen.value === String(want!.value),
    );
  }
  await page.locator(row('plays')).scrollIntoViewIfNeeded();
  await until(
    'plays of now',
    () => shown(`${row('plays')} .latest .num`),
    (seen) => seen.value === '42',
  );
  assert.equal((await shown(`${row('dau')} .latest .num`)).text, '');
});

test('who prints the page sees every row', async () => {
  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1280, height: 400 } });
  listen(page);
  await page.goto(service.url);
  const empty = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.kpis li:not([data-apart])')]
        .filter((row) => !row.querySelector('.num[data-value]'))
        .map((row) => row.dataset['kpi']),
    );
  await page.locator('.kpis li').first().waitFor();
  await until('the last rows', empty, (rows) => rows.length === 0);
  await until(
    'the days of the users',
    () => page.locator('#users .bars li').count(),
    (seen) => seen > 0,
  );
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.close();
});

test('a KPI and a window have one value, wherever they stand', async () => {
  const values = () =>
    page.evaluate(() =>
      ['.tile[data-kpi="active_users"] .value', '.kpis [data-kpi="active_users"] .latest .num'].map((place) =>
        document.querySelector(place)!.getAttribute('data-value'),
      ),
    );
  const [before] = await until('the first row', values, ([tile, row]) => tile === row);
  const event = { id: 'newcomer', time: Date.now(), type: 'play', user_id: 'newcomer', watch_ms: 900 };
  await fetch(`${service.url}/v1/events`, { method: 'POST', body: JSON.stringify(event) });
  const [tile, row] = await until('the tile', values, ([tile]) => tile !== before);
  assert.equal(row, tile);
});

test('what changed since yesterday stays in its column', async () => {
  const old = await startService();
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    const plays = ['04T23:00', '05T09:00', '06T09:00', '06T09:10', '06T09:55'].map((time, index) =>
      JSON.stringify({ id: `e${index}`, time: `2026-01-${time}:00+08:00`, type: 'play', user_id: 'u1', watch_ms: 900 }),
    );
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: plays.join('\n') });
    await page.goto(old.url);
    const row = page.locator('.kpis [data-kpi="plays"]');
    await row.scrollIntoViewIfNeeded();
    const change = row.locator('.today small');
    await until(
      'the change',
      () => change.innerText(),
      (seen) => seen === '+100% on yesterday',
    );
    for (const width of [1900, 1280, 760, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const out = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('.kpis .today > *, .kpis li > a')].flatMap((one) => {
          const [inner, cell] = [one.getBoundingClientRect(), one.parentElement!.getBoundingClientRect()];
          const row = one.closest('li')!.getBoundingClientRect();
          const fits = inner.left > cell.left - 1 && inner.right < cell.right + 1;
          const within = inner.top > row.top - 1 && inner.bottom < row.bottom + 1;
          return inner.width === 0 || (fits && within) ? [] : [one.innerText];
        }),
      );
      assert.deepEqual(out, [], `at ${width}`);
    }
  } finally {
    await page.close();
    await old.stop();
  }
});

/** Who plays on which day of January; the last day runs. */
const diary = { '04': 'abcd', '05': 'abe', '06': 'ac', '07': 'a', '08': 'abc', '09': 'a' };

test('what became of the users is shown by day', async () => {
  const old = await startService();
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    const play = (user: string, time: string) =>
      JSON.stringify({ id: user + time, time, type: 'play', user_id: user, watch_ms: 900 });
    const plays = Object.entries(diary).flatMap(([day, users]) =>
      [...users].map((user) => play(user, `2026-01-${day}T10:00:00+08:00`)),
    );
    plays.push(play('a', '2026-01-09T10:00:10+08:00')); // facts are of seconds that are over
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: plays.join('\n') });
    await page.goto(old.url);
    await page.locator('#users').scrollIntoViewIfNeeded();
    const table = () =>
      page.evaluate(() =>
        [...document.querySelectorAll<HTMLTableRowElement>('#users tbody tr')].map((row) =>
          [...row.cells].map((cell) => cell.innerText),
        ),
      );
    // Who was first seen on a day without newcomers is nobody's share.
    const want = [
      ['Last 36 days', '40.0%', '20.0%', '', '', ''],
      ['2026-01-05', '0.00%', '0.00%', '', '', ''],
      ['2026-01-04', '50.0%', '25.0%', '', '', ''],
    ];
    await until('the retention', table, (seen) => JSON.stringify(seen) === JSON.stringify(want));
    const first = page.locator('#users tbody tr:last-child .num').first();
    assert.equal(await first.getAttribute('data-tip'), '2 of 4\nFirst seen 2026-01-04');

    const days = page.locator('#users [data-key="lifecycle"] li > a');
    assert.equal(
      await days.last().getAttribute('aria-label'),
      '2026-01-09 · so far, Returning 1, Resurrecting 0, New 0, Dormant 2',
    );
    const heights = (day: number) =>
      days.nth(day).evaluate((link) => [...link.children].map((bar) => Math.round(bar.getBoundingClientRect().height)));
    const [returning, resurrecting, none, dormant] = await heights(4); // the 8th: a; b, c; nobody; nobody
    assert.ok(returning! > 5 && Math.abs(resurrecting! - 2 * returning!) <= 1, 'heights are as the numbers');
    assert.deepEqual([none, dormant], [0, 0]);

    await days.nth(4).focus();
    await page.keyboard.press('Enter');
    await until(
      'the day',
      () => page.locator('#focus > header .window').innerText(),
      (seen) => seen === '2026-01-08',
    );
    const listed = page.locator('#focus .others li');
    await until(
      'its stages',
      () => listed.allInnerTexts(),
      (seen) => seen.map((one) => one.replace(/\s+/g, ' ').trim()).join() === 'Resurrecting 2,Returning 1',
    );

    const row = page.locator('.kpis [data-kpi="retention_d3"]');
    await row.scrollIntoViewIfNeeded();
    await until(
      'the newest day that is final',
      () => row.locator('.latest').innerText(),
      (seen) => /^0\.00%\s+2026-01-05$/.test(seen),
    );
    assert.equal((await row.locator('.today').innerText()).trim(), '');
  } finally {
    await page.close();
    await old.stop();
  }
});

test('who is at risk is listed by name once it is seen, by channel, and explained', async () => {
  const old = await startService();
  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 360, height: 400 } });
  listen(page);
  try {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const play = (user: string, day: string, channel: string) =>
      JSON.stringify({ id: user + day, time: `2026-01-${day}:00+08:00`, type: 'play', user_id: user, channel, watch_ms: 900 });
    const names = Array.from({ length: 25 }, (_, n) => `a/${n}`);
    const plays = [
      ...names.map((name) => play(name, '05T10:00', 'douyin')),
      ...['w1', 'w2', 'w3'].map((name) => play(name, '05T11:00', 'wechat')),
      play('here', '10T10:00', 'douyin'),
      play('here', '10T10:01', 'douyin'), // facts are of seconds that are over
    ];
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: plays.join('\n') });
    await page.goto(old.url);
    const card = page.locator('#users [data-key="risk"]');
    await card.waitFor();
    await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => setTimeout(next)))); // what is in sight is told
    assert.deepEqual(asked.filter((url) => url.includes('/api/v1/users')), [], 'it is not in sight');

    await page.locator('#users').scrollIntoViewIfNeeded();
    const people = card.locator('.people li');
    await until('the first twenty', () => people.count(), (seen) => seen === 20);
    await card.getByRole('button', { name: 'More' }).click();
    await until('all', () => people.count(), (seen) => seen === 28);
    assert.ok(await card.getByRole('button', { name: 'More' }).isHidden());
    await until('the channels', () => card.locator('option').allInnerTexts(), (seen) => seen.join() === 'All channels,douyin,wechat');
    await card.locator('select').selectOption('wechat');
    await until(
      'those by wechat',
      async () => (await people.allInnerTexts()).map((one) => one.split(/\n+/)).sort(),
      (seen) =>
        JSON.stringify(seen) ===
        JSON.stringify(['w1', 'w2', 'w3'].map((name) => [name, '5 days away', 'no rhythm yet · last seen 2026-01-05 · wechat'])),
    );
    await card.locator('select').selectOption('');
    await until('the first twenty again', () => people.count(), (seen) => seen === 20);
    await card.getByRole('button', { name: 'More' }).click();
    await until('all again', () => people.count(), (seen) => seen === 28); // which are among the first differs by data folder

    await page.getByRole('button', { name: '中文' }).click();
    await people.filter({ hasText: 'a/7' }).getByRole('button').click();
    const sheet = page.locator('#person');
    await until('what is known', () => sheet.innerText(), (seen) => seen.includes('离开超过 3 天为流失风险，超过 29 天为流失'));
    assert.match(await sheet.innerText(), /^a\/7\s+状态\s+流失风险 · 始于 2026-01-09\s+离开\s+已离开 5 天\s/);
    const cut = () =>
      page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('.people *, .person *')]
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
          .map((one) => one.innerText),
      );
    assert.deepEqual(await cut(), []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
  } finally {
    await page.close();
    await old.stop();
  }
});

test('a day that is over and open says how much of it is in', async () => {
  const old = await startService(`kpis:
  - {name: bought, from: attribution, horizon: 1, maturity: lag_ms, windows: [day], count: {where: 'fact == "touched"'}}
`);
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    const event = (user: string, type: string, day: string, hour: string, more = {}) =>
      JSON.stringify({ id: type + user, time: `2026-01-${day}T${hour}:00:00+08:00`, type, user_id: user, ...more });
    const paid = { amount_minor: 9_900, currency: 'CNY' };
    const events = [
      event('a', 'click', '05', '10'),
      event('a', 'pay', '05', '11', paid),
      event('b', 'click', '05', '12'),
      event('c', 'click', '06', '10'),
      event('c', 'pay', '06', '11', paid),
      event('b', 'pay', '06', '12', paid),
      event('a', 'play', '07', '13', { watch_ms: 900 }), // half of the 5th came within as much as the 6th is over for
    ];
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: events.join('\n') });
    const basis = () => page.locator('#focus .basis').innerText();
    await page.goto(`${old.url}/?kpi=bought&window=day&at=2026-01-06`);
    await until('the open day', basis, (seen) => /^May change until the end of 2026-01-07\n50% of what is expected is in$/m.test(seen));
    await page.getByRole('button', { name: '中文' }).click();
    await until('the same in Chinese', basis, (seen) => /^2026-01-07 结束前仍可能变化\n预计已到 50%$/m.test(seen));
    for (const [day, open] of [['05', false], ['07', true]] as const) {
      await page.goto(`${old.url}/?kpi=bought&window=day&at=2026-01-${day}`);
      await until('another day', basis, (seen) => seen !== '' && /仍可能变化/.test(seen) === open);
      assert.doesNotMatch(await basis(), /预计已到/);
    }
  } finally {
    await page.close();
    await old.stop();
  }
});

/** The embedded funnel, and one whose steps are in no order of their names. */
const paths = `operators:
  - name: buying
    funnel: {steps: [{name: see, where: 'type == "impression"'}, {name: buy, where: 'type == "pay"'}], window: 1d}
kpis:
  - name: buying
    title: {en: Buying, zh: 购买路径}
    from: buying
    horizon: 1
    split: [step]
    count: {where: 'fact == "reached"'}
    windows: [day]
`;

test('how far users come is shown by step, and what they are worth by segment', async () => {
  const old = await startService(paths);
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    const at = (day: string, time: string) => `2026-01-${day}T${time}+08:00`;
    const event = (user: string, type: string, time: string, more = {}) =>
      JSON.stringify({ id: user + time, time, type, user_id: user, ...more });
    const paid = { order_id: 'o1', amount_minor: 9_900, currency: 'CNY' };
    const events = [
      ...['a', 'b', 'c', 'd'].map((user) => event(user, 'impression', at('05', '10:00:00'))),
      ...['a', 'b'].map((user) => event(user, 'click', at('05', '10:01:00'))),
      event('a', 'add_to_cart', at('05', '10:02:00')),
      event('a', 'order', at('06', '09:00:00'), paid),
      event('a', 'pay', at('06', '09:01:00'), paid),
      event('b', 'play', at('06', '09:02:00'), { watch_ms: 900 }), // facts are of seconds that are over
    ];
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: events.join('\n') });
    await page.goto(old.url);
    await page.locator('#users').scrollIntoViewIfNeeded();
    const card = (key: string) => page.locator(`#users [data-key="${key}"]`).first();
    const words = async (key: string) => (await card(key).innerText()).split('\n').filter((word) => word.trim() !== '');
    await until(
      'the funnels',
      async () => [await words('funnel by step'), await words('buying by step')],
      (seen) =>
        JSON.stringify(seen) ===
        JSON.stringify([
          [
            ...['Users by funnel step', '2026-01-05', 'immature until 2026-01-12', 'Users', 'Conversion'],
            ...['Impression', '4', 'Click', '2', '50.0%', 'Add to cart', '1', '50.0%', 'Order', '1', '100.0%'],
            ...['Pay', '1', '100.0%', 'Overall', '25.0%'],
            ...['24 h', 'Users', 'Conversion'],
            ...['Impression', '4', 'Click', '2', '50.0%', 'Add to cart', '1', '50.0%', 'Order', '1', '100.0%'],
            ...['Pay', '1', '100.0%', 'Overall', '25.0%'],
          ],
          ['Buying', '2026-01-05', 'immature until 2026-01-06', 'Users', 'see', '4', 'buy', '1'],
        ]),
    );
    const steps = card('funnel by step').locator('[data-key="day"] li');
    await until(
      'bars as the numbers are', // they grow
      () => steps.locator('.fill').evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width)),
      (widths) => widths[0]! > 20 && Math.abs(widths[0]! - 2 * widths[1]!) < 1,
    );
    assert.equal(await steps.nth(1).locator('.tip').getAttribute('data-tip'), '2 of 4');

    await page.getByRole('button', { name: '中文' }).click();
    const want = ['RFM 客户分层', '2026-01-06 · 进行中', '重要价值客户', '0', '重要发展客户', '0', '重要保持客户', '0'];
    want.push('重要挽留客户', '0', '一般价值客户', '0', '一般发展客户', '1', '一般保持客户', '0', '一般挽留客户', '0');
    await until('the segments', () => words('rfm by segment'), (seen) => seen.join() === want.join());
    await card('rfm by segment').getByRole('link', { name: '一般发展客户' }).click();
    await until(
      'the segment',
      () => page.locator('#focus').innerText(),
      (seen) => /^RFM 客户分层 · 一般发展客户\s+今日\s+关闭\s+1\s/.test(seen),
    );

    await steps.nth(4).getByRole('link').click(); // whoever paid
    await until(
      'the step of that day',
      () => page.locator('#focus .others').innerText(),
      (seen) => seen.split(/\s+/).join() === '曝光,4,点击,2,加购,1,下单,1,支付,1',
    );
    assert.match(page.url(), /\?kpi=funnel&window=day&by=step&step=pay&at=2026-01-05$/);
    assert.match(await page.locator('#focus .basis').innerText(), /^2026-01-12 结束前仍可能变化$/m);

    await page.setViewportSize({ width: 360, height: 800 });
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.parts a, .parts .num, .funnel p > *')]
        .filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).display !== 'inline')
        .map((one) => one.innerText),
    );
    assert.deepEqual(cut, []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  } finally {
    await page.close();
    await old.stop();
  }
});

test('charts follow a resized window, and a phone needs no scrolling sideways', async () => {
  const { width, height } = page.viewportSize()!;
  const sizes = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.tile .plot')].map((plot) => [
        plot.clientWidth,
        plot.querySelector('canvas')?.clientWidth ?? 0,
      ]),
    );
  for (const narrow of [1900, 760, 360, width]) {
    await page.setViewportSize({ width: narrow, height });
    await until(
      `charts at ${narrow}`,
      sizes,
      (all) => all.length === 6 && all.every(([plot, canvas]) => plot === canvas && plot! < narrow),
    );
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= narrow, `at ${narrow} the page is ${wide} wide`);
  }
});

test('what is written can be read', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ locale: 'en-GB', colorScheme });
    await page.goto(`${service.url}/?kpi=plays&by=channel`);
    await page.locator('.kpis a').first().waitFor();
    await page.locator('#focus .others li').first().waitFor();
    await page.evaluate('globalThis.__name = (named) => named'); // what tsx puts into functions
    assert.deepEqual(await page.evaluate(faint), [], colorScheme);
    await page.close();
  }
});

test('a link leads to a KPI at a time, its series among the others; keys lead on from there', async () => {
  const at = new Date(Math.floor(Date.now() / 5_000) * 5_000).toISOString(); // a window that is not over yet is one too
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  await page.goto(`${service.url}/?kpi=plays&window=5m&by=channel&channel=wechat&at=${at}`);
  const value = page.locator('#focus .value');
  const [want] = await samples(`plays?window=5m&channel=wechat&at=${at}`);
  await until(
    'the value',
    () => value.getAttribute('data-value'),
    (seen) => seen === String(want!.value),
  );
  await page.locator('#focus h2').waitFor({ state: 'visible' }); // all that is seen first is seen at once
  assert.match(await page.locator('#focus h2').innerText(), /^Plays · wechat$/);
  assert.match(await page.locator('#focus [aria-current="true"] a').first().innerText(), /wechat/);
  assert.match(await page.locator('#focus > header .window').innerText(), /^5 min · to \d\d:\d\d:\d\d UTC\+8$/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'focus');

  await page.locator('#focus .chip', { hasText: 'Total' }).focus();
  await page.keyboard.press('Enter');
  const [total] = await samples(`plays?window=5m&at=${at}`);
  await until(
    'the total',
    () => value.getAttribute('data-value'),
    (seen) => seen === String(total!.value),
  );
  assert.doesNotMatch(page.url(), /channel/);
  await page.goBack();
  await until(
    'the series again',
    () => value.getAttribute('data-value'),
    (seen) => seen === String(want!.value),
  );

  await page.locator('#focus .close').click(); // to now
  assert.doesNotMatch(page.url(), /at=/);
  await page.locator('#focus .close').click();
  await page.locator('#focus').waitFor({ state: 'hidden' });
  await page.goto(`${service.url}/?kpi=no_such`);
  await until(
    'the refusal',
    () => page.locator('#focus .note').innerText(),
    (seen) => seen === 'The catalogue has no KPI no_such.',
  );
  await page.close();
});

test('of a window that has not begun nothing is claimed', async () => {
  const page = await browser.newPage({ locale: 'zh-CN' });
  listen(page);
  await page.goto(`${service.url}/?kpi=plays&window=5m&at=2100-01-01`);
  await until(
    'the note',
    () => page.locator('#focus .note').innerText(),
    (seen) => /^窗口尚未开始：目前计到 \d\d:\d\d:\d\d。$/.test(seen),
  );
  assert.equal(await page.locator('#focus .value').innerText(), '–');
  assert.equal(await page.locator('#focus .basis').innerText(), '');
  await page.close();
});

test('a link to what is not kept is refused once', async () => {
  const page = await browser.newPage({ locale: 'en-GB' });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const count = (words: string) => asked.filter((url) => url.includes(words)).length;
  await page.goto(`${service.url}/?kpi=plays&window=9m&by=channel`);
  await until(
    'the refusal',
    () => page.locator('#focus .note').innerText(),
    (seen) => seen.includes('use 1m, 5m'),
  );
  const panels = count('/api/v1/alerts'); // fetched at the same pace
  await until('the panels twice more', async () => count('/api/v1/alerts'), (seen) => seen >= panels + 2);
  const refused = asked.filter((url) => url.includes('/kpis/') && url.includes('window=9m'));
  assert.deepEqual(refused.map((url) => new URL(url).search).sort(), ['?window=9m', '?window=9m&by=channel']);
  await page.locator('#focus .chip', { hasText: '1 h' }).click();
  await until(
    'another window',
    () => page.locator('#focus .value').innerText(),
    (seen) => /\d/.test(seen),
  );
  await page.goto(`${service.url}/?kpi=plays&by=chanel`);
  await until(
    'the refusal of the breakdown',
    () => page.locator('#focus .note').innerText(),
    (seen) => seen === 'There is no breakdown by chanel: this is the total.',
  );
  await page.locator('#focus .chip', { hasText: 'Channel' }).click();
  await until(
    'the breakdown',
    () => page.locator('#focus .others li').count(),
    (seen) => seen > 0,
  );
  assert.doesNotMatch(await page.locator('#focus .note').innerText(), /no breakdown/);
  await page.goto(`${service.url}/?kpi=plays&window=1h&channel=no_such`);
  await until(
    'the value that nobody has',
    () => page.locator('#focus .note').innerText(),
    (seen) => seen === 'Channel “no_such” was not seen of late.',
  );
  await page.close();
});

const own = `kpis:
  - name: food_rate
    title: {en: Share of food, zh: 美食占比}
    ratio: {numerator: {count: {where: 'vertical == "food"'}}, denominator: {count: {where: 'type == "play"'}}}
    by: [channel]
    windows: [15m]
`;
const rules = `groups:
  - name: own
    rules:
      - {alert: FoodHigh, expr: 'kpi_food_rate{by="channel",window="15m"} > 0.2', min_samples: 0}
      - {alert: PlaysSeen, expr: 'kpi_plays{by="channel",window="5m"} > 2'}
`;

test('own KPIs stand by title and unit; alerts are shaded, mark their channel and lead to their series', async () => {
  const service = await startService(own, rules);
  const page = await browser.newPage({ locale: 'zh-CN' });
  listen(page);
  try {
    const time = Date.now();
    const events = [0, 1, 2, 3].map((index) => {
      const props = index === 0 ? { vertical: 'food' } : {};
      const channel = index < 3 ? 'douyin' : 'wechat';
      return JSON.stringify({
        id: `e${index}`,
        time,
        type: 'play',
        user_id: `u${index}`,
        channel,
        watch_ms: 900,
        duration_ms: 1000,
        props,
      });
    });
    await fetch(`${service.url}/v1/events`, { method: 'POST', body: events.join('\n') });
    await page.goto(service.url);
    const row = page.locator('.group:last-child .kpis [data-kpi="food_rate"]');
    await row.scrollIntoViewIfNeeded();
    await until(
      'its value',
      () => row.locator('.latest').innerText(),
      (seen) => /^25\.0%\s+15 分钟$/.test(seen),
    );
    assert.equal(await row.locator('a').innerText(), '美食占比');
    assert.equal(await page.locator('.group:last-child h2').innerText(), '自定义指标');

    const marked = page.locator('#channels [data-channel="douyin"] th');
    await until(
      'the mark',
      () => marked.getAttribute('title'),
      (seen) => seen === 'FoodHigh, PlaysSeen',
    );
    await page.locator('#channels [data-channel="douyin"] td.is-firing [data-kpi="plays"]').waitFor();
    assert.equal(await page.locator('#channels [data-channel="wechat"] .is-firing').count(), 0);
    assert.match((await row.getAttribute('class')) ?? '', /is-firing/);

    await page.locator('#alerts-list a', { hasText: 'FoodHigh' }).click();
    await until(
      'the value',
      () => page.locator('#focus .value').innerText(),
      (seen) => seen === '33.3%',
    );
    assert.match(page.url(), /\?kpi=food_rate&window=15m&by=channel&channel=douyin#alert=\w+$/);
    await page.locator('#alerts-list .is-meant', { hasText: 'FoodHigh' }).waitFor();
    const plot = page.locator('#focus .plot');
    await until(
      'the shade in words',
      () => plot.getAttribute('aria-label'),
      (seen) => /FoodHigh 始于 \d\d:\d\d:\d\d$/.test(seen ?? ''),
    );
  } finally {
    await page.close();
    await service.stop();
  }
});

test('a chart of an hour shows what is usual at that hour of the week', async () => {
  const old = await startService();
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    const weeks = [3, 5, 4, 4, 12]; // plays within two minutes, the last ones of the hour that runs
    const play = (week: number, second: number) => {
      const time = Date.parse('2026-01-01T10:10:00+08:00') + week * 7 * 86_400_000 + second * 1_000;
      return JSON.stringify({ id: `${week}.${second}`, time, type: 'play', user_id: `u${second}`, watch_ms: 900 });
    };
    const plays = weeks.flatMap((count, week) => Array.from({ length: count }, (_, index) => play(week, 10 * index)));
    plays.push(play(4, 1_805));
    await fetch(`${old.url}/v1/events`, { method: 'POST', body: plays.join('\n') });
    await page.goto(`${old.url}/?kpi=plays&window=1h`);
    const usual = page.locator('#focus .usual');
    await until('what is usual', () => usual.innerText(), (seen) => /^usual /.test(seen));
    const { watermark } = await (await fetch(`${old.url}/api/v1/ledger`)).json().then((body) => (body as { data: Ledger }).data);
    const end = async (which: string) => {
      const query = new URLSearchParams({ query: `kpi_plays_band_${which}{by="total",window="1h"}`, time: watermark! });
      const body = (await (await fetch(`${old.url}/prometheus/api/v1/query?${query}`)).json()) as { data: { result: { value: [number, string] }[] } };
      return formatValue(Number(body.data.result[0]!.value[1]), 'count', 'en');
    };
    const [low, high] = [await end('low'), await end('high')];
    assert.equal(await usual.innerText(), `usual ${low} – ${high}`);
    assert.ok(Number(low) > 0 && Number(high) < 12, `of 3, 5, 4 and 4 plays ${low} – ${high} are usual`);
    const words = () => page.locator('#focus .plot').getAttribute('aria-label');
    await until('the chart in words', words, (seen) => (seen ?? '').endsWith(`last 12. usual ${low} – ${high}`));
    await page.locator('#focus .chip', { hasText: '5 min' }).click();
    await usual.waitFor({ state: 'hidden' });
  } finally {
    await page.close();
    await old.stop();
  }
});

test('nothing moves once it is seen', async () => {
  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1440, height: 1600 } });
  await page.addInitScript(() => {
    const moved: number[] = [];
    Object.assign(window, { moved });
    new PerformanceObserver((list) =>
      moved.push(...list.getEntries().map((entry) => (entry as unknown as { value: number }).value)),
    ).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(service.url);
  await until(
    'the last to come',
    () => page.locator('.kpis [data-kpi="orders"] .today').innerText(),
    (seen) => /\d/.test(seen),
  );
  const moved = await page.evaluate(() => (window as unknown as { moved: number[] }).moved.reduce((a, b) => a + b, 0));
  assert.ok(moved < 0.02, `cumulative layout shift ${moved}`);
  await page.close();
});

test('the browser has nothing to complain about', () => {
  assert.deepEqual(complaints, []);
});

test('a service that goes away is said, with the time of the last data', async () => {
  await service.stop();
  await page.locator('#banner').waitFor({ state: 'visible' });
  assert.match(
    await page.locator('#banner').innerText(),
    /自 \d\d:\d\d:\d\d UTC\+8 起没有响应.*显示的是 \d\d:\d\d:\d\d UTC\+8 的数据/,
  );
  const colour = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).color);
  assert.equal(await colour('.tile .value'), await colour('.tile .caption'));
});

/** visits are 40 users: an impression, half of them a click, a play, a payment. */
function visits(now: number): string[] {
  const events: object[] = [];
  for (let user = 0; user < 40; user++) {
    const channel = user % 4 === 0 ? 'wechat' : 'douyin';
    const common = { time: now - 1_000 + user, user_id: `visitor-${user}`, channel, content_id: `v${user % 7}` };
    events.push({ id: `i${user}`, type: 'impression', ...common });
    if (user % 2 === 0) events.push({ id: `c${user}`, type: 'click', ...common });
    const watched = user < 30 ? 15_000 : 3_000;
    events.push({ id: `p${user}`, type: 'play', watch_ms: watched, duration_ms: 15_000, ...common });
    events.push({ id: `y${user}`, type: 'pay', order_id: `o${user}`, amount_minor: 4_990, currency: 'CNY', ...common });
  }
  return events.map((event) => JSON.stringify(event));
}
