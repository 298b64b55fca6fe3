// Who is woken at night: from the message to the page on a telephone, and back to bed.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Alerts, Past, Silence } from '../src/api.ts';
import { faint } from './contrast.ts';
import type { Pager } from './pager.ts';
import { startPager } from './pager.ts';
import type { Service } from './service.ts';
import { startService, until } from './service.ts';

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const rules = `groups:
  - name: traffic
    rules:
      - alert: PlaysCrowded
        expr: kpi_plays{by="channel",window="5m"} > 2
        labels: {severity: page, team: growth}
        annotations: {summary: 'More plays on {{ $labels.channel }} than there should be', runbook_url: 'https://wiki.example/plays'}
`;

const few = `groups:
  - name: traffic
    rules: [{alert: PlaysFew, expr: 'kpi_plays{by="channel",window="1m"} == 1'}]
`;

const severities = `groups:
  - name: traffic
    rules:
      - {alert: PlaysMany, expr: 'kpi_plays{by="channel",window="5m"} > 2', labels: {severity: page}}
      - {alert: PlaysSome, expr: 'kpi_plays{by="channel",window="5m"} > 1', labels: {severity: info}}
      - {alert: PaidUnits, expr: 'kpi_gmv_paid{by="channel",window="1h"} / 100 > 1', labels: {severity: info}}
      - {alert: PaidLow, expr: 'kpi_gmv_paid{by="channel",window="1h"} < 20000'}
      - {alert: PlaysHours, expr: 'kpi_plays{by="channel",window="5m"} > 2', for: 1h, labels: {severity: info}}
      - {alert: CompletionLow, expr: 'kpi_completion_rate{by="channel",window="5m"} < 0.3', confidence: 0.95}
`;

const receivers = (url: string) => `route: {receiver: oncall, group_by: [team], group_interval: 1s}
receivers:
  - name: oncall
    fallback: spare
    fallback_after: 90m
    webhook_configs: [{url: '${url}'}]
  - name: spare
`;

const [wide, tall] = [360, 640];
/** begin is of the day before, so that times have their date: the most that the screen has to hold. */
const begin = Date.now() - 26 * 3_600_000;

let service: Service;
let pager: Pager;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

before(async () => {
  if (!existsSync(chromiumPath)) throw new Error(`${chromiumPath} is missing: install Debian's package "chromium"`);
  pager = await startPager();
  service = await startService('', rules, receivers(pager.url));
  browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  page = await phone('en-GB');
});

after(async () => {
  await browser?.close();
  await service?.stop();
  await pager?.stop();
});

async function phone(locale: string): Promise<Page> {
  const context = await browser.newContext({
    locale,
    viewport: { width: wide, height: tall },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${message.text()} ${message.location().url}`);
  });
  return page;
}

async function send(path: string, body: string): Promise<void> {
  const response = await fetch(service.url + path, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
}

const plays = (channel: string, at: number) =>
  [0, 1, 2]
    .map((index) => JSON.stringify({ id: `${channel}${at}${index}`, time: at, type: 'play', user_id: `u${index}`, channel, watch_ms: 900 }))
    .join('\n');

const close = (at: number) => send('/v1/close', JSON.stringify({ to: new Date(at).toISOString() }));

async function ask<T>(path: string): Promise<T> {
  const body = (await (await fetch(service.url + path)).json()) as { data?: T };
  return (body.data ?? body) as T;
}

const silences = () => ask<Silence[]>('/alertmanager/api/v2/silences?expired=false');
const silenced = async () => (await ask<Alerts>('/api/v1/alerts')).alerts.map((one) => [one.labels['channel'], one.silenced_by!.length]);

const row = (channel: string) => page.locator('#alerts-list li', { hasText: channel });

/** isAtHand checks that a control is on the screen, perhaps after scrolling, and large enough for a thumb. */
async function isAtHand(name: string, scroll = true): Promise<void> {
  const control = page.getByRole('button', { name, exact: true }).first();
  if (scroll) await control.scrollIntoViewIfNeeded();
  const box = (await control.boundingBox())!;
  assert.ok(box.x >= 0 && box.x + box.width <= wide && box.y >= 0 && box.y + box.height <= tall, `${name} is off the screen: ${JSON.stringify(box)}`);
  assert.ok(box.height >= 44, `${name} is ${box.height} high`);
}

test('the message leads to the alert, which is acknowledged with one hand', async () => {
  await send('/v1/events', plays('douyin', begin - 600_000).split('\n')[0]!); // before it nothing is known
  await send('/v1/events', plays('douyin', begin));
  await close(begin + 10_000);
  await until('the message', async () => pager.messages.length, (seen) => seen === 1);
  const [alert] = pager.messages[0]!.alerts;
  await page.goto(alert!.generatorURL);
  await row('douyin').waitFor();
  assert.match(await row('douyin').innerText(), /More plays on douyin than there should be/);
  const meant = page.locator('#focus .meant');
  await until('the alert beside its KPI', () => meant.innerText(), (seen) => /^The value is of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC.*, the alert is as it is now\.\s+Firing · PlaysCrowded · severity page · since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(seen));
  assert.match(await meant.innerText(), /More plays on douyin than there should be\s+Condition: > 2/);
  assert.equal(await meant.getByRole('link', { name: 'Runbook' }).getAttribute('href'), 'https://wiki.example/plays');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'focus', 'where the link leads');
  await isAtHand('Acknowledge', false);
  await meant.getByRole('button', { name: 'Acknowledge' }).tap();
  await until('all of it is on the screen', () => page.locator('#sheet').boundingBox(), (box) => box !== null && box.y >= 0 && box.y + box.height <= tall + 1);
  assert.match(await page.locator('#sheet h2').innerText(), /^Acknowledge · PlaysCrowded$/);
  const scopes = page.locator('#sheet .scopes label');
  await until('the group', () => scopes.allInnerTexts(), (seen) => seen.join() === 'This alert,Its group: team growth (1 firing),All of PlaysCrowded (1 firing)');
  await page.evaluate('globalThis.__name = (named) => named'); // what tsx puts into functions
  assert.deepEqual(await page.evaluate(faint), []);
  await page.getByLabel('Your name').fill('ann');
  await isAtHand('Cancel');
  await page.locator('#sheet').getByRole('button', { name: 'Acknowledge' }).tap();
  await until('the alert is silenced', () => row('douyin').innerText(), (seen) => /Acknowledged by ann, until resolved: Seen, being looked at/.test(seen));
  assert.deepEqual(await silenced(), [['douyin', 1]]);
  assert.equal(await page.locator('#alert-count').innerText(), '1 firing · 1 acknowledged');
});

test('a silence is ended, and another is of the whole rule', async () => {
  await page.locator('#silences-list').getByRole('button', { name: 'End' }).tap();
  await until('nothing is silenced', silenced, (seen) => seen.flat().join() === 'douyin,0');
  await page.locator('#silences').waitFor({ state: 'hidden' });
  await row('douyin').getByRole('button', { name: /^Silence/ }).tap();
  assert.equal(await page.getByLabel('Your name').inputValue(), 'ann', 'the name is remembered');
  await page.locator('#sheet .scopes label', { hasText: 'All of PlaysCrowded' }).tap();
  await page.locator('#sheet .lengths label', { hasText: '8 h' }).tap();
  await page.getByLabel('Comment').fill('known');
  await page.locator('#sheet').getByRole('button', { name: 'Silence' }).tap();
  const [one] = await until('the silence', silences, (seen) => seen.length === 1);
  assert.deepEqual(
    one!.matchers.map(({ name, value }) => [name, value]),
    [['alertname', 'PlaysCrowded']],
  );
  const hours = (Date.parse(one!.endsAt) - Date.parse(one!.startsAt)) / 3_600_000;
  assert.equal(Math.round(hours * 60), 8 * 60);
  const listed = () => page.locator('#silences-list li').innerText();
  await until('it is listed', listed, (seen) => /PlaysCrowded\s+until .*\s+ann: known/.test(seen));
  await send('/v1/events', plays('wechat', begin + 20_000));
  await close(begin + 30_000);
  await until('another is silenced, too', silenced, (seen) => seen.flat().join() === 'douyin,1,wechat,1');
  await page.locator('#silences-list').getByRole('button', { name: 'End' }).tap();
  await until('it is told', async () => pager.messages.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['channel'])), (seen) => seen.includes('wechat'));
});

test('an acknowledgement is over when its alert is', async () => {
  await row('douyin').getByRole('button', { name: 'Acknowledge' }).tap();
  await page.locator('#sheet').getByRole('button', { name: 'Acknowledge' }).tap();
  await until('the silence', silences, (seen) => seen.length === 1 && seen[0]!.annotations?.['until'] === 'resolved');
  await close(begin + 400_000);
  await until('nothing fires', () => ask<Alerts>('/api/v1/alerts'), ({ alerts }) => alerts.length === 0);
  await until('nor is anything silenced', silences, (seen) => seen.length === 0);
});

test('the history says what fired, for how long, and who was told', async () => {
  const { alerts } = await ask<Past>('/api/v1/alerts/history');
  assert.deepEqual(
    alerts.map(({ labels, state }) => [labels['channel'], state]),
    [
      ['wechat', 'resolved'],
      ['douyin', 'resolved'],
    ],
  );
  await page.locator('#past summary').tap();
  const lines = () => page.locator('#past-list li').allInnerTexts();
  const line = (channel: string) => new RegExp(`PlaysCrowded · ${channel}\\s+3\\s+\\d\\.\\d min · told oncall · Silenced$`);
  await until('the history', lines, (all) => all.length === 2 && line('wechat').test(all[0]!) && line('douyin').test(all[1]!));
  await page.locator('#past-list a').last().tap();
  await until('the time of the alert', () => page.locator('#focus .plot').getAttribute('aria-label'), (words) => /PlaysCrowded \d\d:\d\d:\d\d – \d\d:\d\d:\d\d/.test(words ?? ''));
});

test('a receiver is tested, and says what is wrong', async () => {
  await page.locator('#told summary').tap();
  const shown = page.locator('#receivers > li');
  await until('the receivers', () => shown.allInnerTexts(), (seen) => seen.length === 2 && /spare\s+no webhook or robot/.test(seen[1]!));
  assert.match(await shown.first().innerText(), /default · falls back to spare after 1 h 30 min/);
  await isAtHand('Test');
  await shown.first().getByRole('button', { name: 'Test' }).tap();
  await until('the test arrives', () => shown.first().innerText(), (seen) => /Test delivered/.test(seen));
  assert.equal(pager.messages.at(-1)!.alerts[0]!.labels['alertname'], 'TidewatchTest');
  pager.answer(404, 'no such channel');
  await shown.first().getByRole('button', { name: 'Test' }).tap();
  await until('the test fails', () => shown.first().innerText(), (seen) => /Test failed: answered 404: no such channel/.test(seen));
});

test('all of it is there in Chinese, and nothing is wider than the screen', async () => {
  for (const lang of ['en', '中文']) {
    await page.getByRole('button', { name: lang }).tap();
    await page.locator('#alerts details').evaluateAll((all) => all.forEach((one) => ((one as HTMLDetailsElement).open = true)));
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= wide, lang);
  }
  const words = await page.locator('#alerts').innerText();
  for (const word of ['接收方', '历史', '已通知 oncall', '测试失败：返回 404：no such channel']) assert.ok(words.includes(word), `${word} in ${words}`);
  assert.match(await page.locator('#rules li').innerText(), /^延迟\s+PlaysCrowded\s[^]*已判定到 .*，落后当前时间 \d+ 小时 .*：最新的事件到达时已经这么旧/);
  await send('/v1/events', plays('kuaishou', begin + 500_000));
  await close(begin + 510_000);
  await row('kuaishou').getByRole('button', { name: '确认' }).tap();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= wide, 'with the sheet');
  assert.match(await page.locator('#sheet').innerText(), /直至恢复/);
  await page.locator('#sheet').getByRole('button', { name: '取消' }).tap();
  await page.locator('#sheet').waitFor({ state: 'hidden' });
});

test('what is not delivered can be sent again', async () => {
  await page.getByRole('button', { name: 'en' }).tap();
  const waiting = page.locator('#deliveries li', { hasText: 'kuaishou' }).first();
  await until('it is refused', () => waiting.innerText(), (seen) => /retrying/.test(seen) && /answered 404/.test(seen));
  await until('that is plain', () => page.locator('#failing').innerText(), (seen) => /^Notifications do not reach oncall: answered 404/.test(seen));
  pager.answer(200);
  const before = pager.messages.length;
  await waiting.getByRole('button', { name: 'Send again' }).tap();
  await until('it arrives', async () => pager.messages.length, (seen) => seen === before + 1);
  await page.locator('#failing').waitFor({ state: 'hidden' });
});

test('what a receiver that is gone has not taken can be dropped', async () => {
  const reload = async () => (await fetch(`${service.url}/-/reload`, { method: 'POST' })).status;
  pager.answer(404);
  await send('/v1/events', plays('bili', begin + 600_000));
  await close(begin + 610_000);
  await page.locator('#failing').waitFor();
  service.write('receivers.yaml', `route: {receiver: night}\nreceivers: [{name: night, webhook_configs: [{url: '${pager.url}'}]}]\n`);
  assert.equal(await reload(), 200);
  const left = page.locator('#deliveries li', { hasText: 'receiver oncall is no longer configured' });
  await left.waitFor();
  assert.match(await left.innerText(), /not delivered/);
  assert.ok(!(await page.locator('#failing').innerText()).includes('oncall'), 'it does not fail: it is gone');
  assert.equal(await left.getByRole('button', { name: 'Send again' }).isVisible(), false);
  await left.getByRole('button', { name: 'Drop' }).tap();
  await until('it is no longer undelivered', () => page.locator('#deliveries').innerText(), (seen) => !/not delivered/.test(seen));
  await page.getByRole('button', { name: '中文' }).tap();
  await until('it is dropped', () => page.locator('#deliveries').innerText(), (seen) => /已丢弃/.test(seen) && !/dropped/.test(seen));
  const others = /More plays|severity page/;
  const english = (await page.locator('#alerts').innerText()).split('\n').filter((line) => / [a-z]+ [a-z]+ /i.test(line) && !others.test(line));
  assert.deepEqual(english, [], 'what others have not said');
  await page.getByRole('button', { name: 'en' }).tap();
  pager.answer(200);
  service.write('receivers.yaml', receivers(pager.url));
  assert.equal(await reload(), 200);
});

test('files that were refused are on the page until good ones are read', async () => {
  const reload = async () => (await fetch(`${service.url}/-/reload`, { method: 'POST' })).status;
  service.write('rules.yaml', 'groups: [{name: g, rules: [{alert: Low, expr: kpi_playz > 1}]}]');
  assert.equal(await reload(), 400);
  await page.locator('#refused').waitFor();
  assert.match(await page.locator('#refused').innerText(), /^Rules and receivers were refused at .* UTC.*kpi_playz is no KPI/);
  assert.match(await page.locator('#alert-count').innerText(), / · reload refused$/);
  service.write('rules.yaml', rules);
  assert.equal(await reload(), 200);
  await page.locator('#refused').waitFor({ state: 'hidden' });
});

test('that there is no receiver is plain to see', async () => {
  const lonely = await startService('', rules);
  const page = await phone('en-GB');
  try {
    await page.goto(lonely.url);
    await page.locator('#untold').waitFor();
    const box = (await page.locator('#untold').boundingBox())!;
    assert.ok(box.y + box.height <= tall, `it is at ${JSON.stringify(box)}`);
    assert.match(await page.locator('#untold').innerText(), /^Nobody is told: no receiver is configured/);
  } finally {
    await page.context().close();
    await lonely.stop();
  }
});

test('of alerts on one series the link shows its own, and what is computed has no unit', async () => {
  const both = await startService('', severities);
  const page = await phone('en-GB');
  const post = async (path: string, body: string) => assert.equal((await fetch(both.url + path, { method: 'POST', body })).status, 200);
  const firing = async () => ((await (await fetch(`${both.url}/api/v1/alerts`)).json()) as { data: Alerts }).data.alerts.filter(({ state }) => state === 'firing');
  const paid = ['CNY', 'JPY'].map((currency, index) =>
    JSON.stringify({ id: currency, time: begin, type: 'pay', user_id: 'u', order_id: currency, channel: `c${index}`, amount_minor: 17_500, currency }),
  );
  try {
    await post('/v1/events', `${plays('bili', begin)}\n${paid.join('\n')}`);
    await post('/v1/close', JSON.stringify({ to: new Date(begin + 60_000).toISOString() }));
    const alerts = await until('they fire', firing, (seen) => seen.length === 6);
    const link = alerts.find(({ rule }) => rule === 'PlaysMany')!.annotations['link']!;
    await page.goto(link);
    const meant = page.locator('#focus .meant li');
    await until('its alert', () => meant.allInnerTexts(), (seen) => seen.length === 1 && /^Firing · PlaysMany · severity page · since [^]*Condition: > 2\s/.test(seen[0]!));
    assert.equal(await page.locator('#alerts-list .is-meant').count(), 1);
    await meant.getByRole('button', { name: 'Acknowledge' }).tap();
    assert.equal(await page.locator('#sheet h2').innerText(), 'Acknowledge · PlaysMany');
    await page.keyboard.press('Escape');
    await page.goto(new URL(link.split('#')[0]!).toString().replace('by=', 'lang=en&by='));
    await until('all of the series', () => meant.allInnerTexts(), (seen) => seen.map((one) => one.split(' · ')[1]).sort().join() === 'PlaysHours,PlaysMany,PlaysSome');
    await page.goto(alerts.find(({ rule, labels }) => rule === 'PaidUnits' && labels['currency'] === 'CNY')!.annotations['link']!);
    const computed = /^Firing · PaidUnits · severity info · since [^]*The expression of the rule comes to 175\s+Condition: > 1\s/;
    await until('what its expression comes to', () => meant.allInnerTexts(), (seen) => seen.length === 1 && computed.test(seen[0]!));
    const share = page.locator('#alerts-list li', { hasText: 'PaidUnits' });
    assert.deepEqual([await share.first().locator('.num').innerText(), await share.first().locator('.terms').innerText()], ['175', 'Condition: > 1']);
    assert.equal(await page.locator('#alert-count').innerText(), '6 firing · 1 pending · nobody is told');
    assert.match((await page.locator('#rules').textContent())!, /< 0\.3, confidence 95%/);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= wide, 'several currencies');
    both.write('rules.yaml', few);
    assert.equal((await fetch(`${both.url}/-/reload`, { method: 'POST' })).status, 200);
    await post('/v1/close', JSON.stringify({ to: new Date(begin + 90_000).toISOString() }));
    await until('nothing fires', firing, (seen) => seen.length === 0);
    await page.goto('about:blank');
    await page.goto(link);
    await until('it is over', () => page.locator('#focus .meant').innerText(), (seen) => seen === 'The alert of this link is over.');
    await page.locator('#past summary').tap();
    const paidLow = page.locator('#past-list li', { hasText: 'PaidLow' }).locator('.num');
    await until('what it was, without its rule', () => paidLow.allInnerTexts(), (seen) => seen.sort().join() === '¥17,500 JPY,¥175.00 CNY');
  } finally {
    await page.context().close();
    await both.stop();
  }
});

test('a link whose verdict was overturned says so', async () => {
  const late = await startService('', few);
  const page = await phone('en-GB');
  const post = async (path: string, body: string) => assert.equal((await fetch(late.url + path, { method: 'POST', body })).status, 200);
  const reach = (at: number) => post('/v1/close', JSON.stringify({ to: new Date(at).toISOString() }));
  const past = async () => ((await (await fetch(`${late.url}/api/v1/alerts/history`)).json()) as { data: Past }).data.alerts;
  try {
    await post('/v1/events', plays('bili', begin).split('\n')[0]!);
    await reach(begin + 10_000);
    const [fired] = await until('it fires', past, (seen) => seen.length === 1);
    await post('/v1/events', plays('bili', begin).split('\n').slice(1).join('\n'));
    await reach(begin + 700_000);
    await until('it is corrected', past, (seen) => seen[0]!.corrected);
    await page.goto(fired!.annotations['link']!);
    const words = () => page.locator('#focus .overturned').innerText();
    await until('the page says so', words, (seen) => /^PlaysFew fired at .* on 1\. With the events that came late it was 3: corrected at /.test(seen));
  } finally {
    await page.context().close();
    await late.stop();
  }
});

test('the browser has nothing to complain about', () => {
  assert.deepEqual(complaints, []);
});
