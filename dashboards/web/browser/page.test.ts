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
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
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
    .evaluate((element) => ({ text: (element as HTMLElement).innerText.trim(), value: element.getAttribute('data-value') }));
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
  await until('the words', () => word('#alert-count'), (seen) => seen === 'No data yet');
  assert.equal(await word('#connection'), 'No data yet');
  assert.equal(await page.locator('#channels tr').count(), 0);

  const line = await page.locator('#curl').innerText();
  const { stdout } = await promisify(execFile)('sh', ['-c', line]).catch((error: { code?: number }) => {
    throw new Error(error.code === 127 ? `curl is missing: install Debian's package "curl"` : String(error));
  });
  const answer = JSON.parse(stdout) as { data: { accepted: number; quarantined: number } };
  assert.deepEqual([answer.data.accepted, answer.data.quarantined], [6, 0]);

  await page.locator('#empty').waitFor({ state: 'hidden' });
  await until('the first tile', () => shown(tile('active_users')), (seen) => seen.value === '2');
  await until('the words', () => word('#alert-count'), (seen) => seen === 'All quiet');
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
  assert.match(days ?? '', /^DAU, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: lowest 0, highest 42, last 42$/);
  assert.equal(await page.locator('#zone').innerText(), 'Times in Asia/Shanghai');
});

test('language and theme follow their switches', async () => {
  await page.getByRole('button', { name: '中文' }).click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  assert.equal(await page.locator('[data-kpi="ctr"] h2').innerText(), '点击率');
  const pay = { id: 'yen', time: Date.now(), type: 'pay', user_id: 'u9', order_id: 'yen', amount_minor: 500, currency: 'JPY' };
  await fetch(`${service.url}/v1/events`, { method: 'POST', body: JSON.stringify(pay) });
  const caption = () => page.locator('[data-kpi="gmv_paid"] .caption').innerText();
  await until('what is wrong with the sum', caption, (seen) => seen.startsWith('包含多种货币'));
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.locator('#theme').click(); // light
  const light = await ground();
  await page.locator('#theme').click(); // dark
  assert.notEqual(await ground(), light);
});

test('what the catalogue lacks is left out, and not asked for', async () => {
  const bare = await startService('drop: [ctr, top_contents]\n');
  const page = await browser.newPage({ locale: 'en-GB' });
  listen(page);
  try {
    await page.goto(bare.url);
    await page.locator('#missing').waitFor({ state: 'visible' });
    assert.match(await page.locator('#missing').innerText(), /lacks them: CTR\./);
    for (const gone of ['[data-kpi="ctr"].tile', '#contents']) assert.ok(!(await page.locator(gone).isVisible()), gone);
    assert.ok(await page.locator('[data-kpi="dau"].tile').isVisible());
    await page.waitForResponse((response) => response.url().includes('by=channel'));
  } finally {
    await page.close();
    await bare.stop();
  }
});

test('the browser has nothing to complain about', () => {
  assert.deepEqual(complaints, []);
});

test('a service that goes away is said, with the time of the last data', async () => {
  await service.stop();
  await page.locator('#banner').waitFor({ state: 'visible' });
  assert.match(await page.locator('#banner').innerText(), /\d\d:\d\d:\d\d/);
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
