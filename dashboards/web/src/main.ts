// Tidewatch's live page: one model, fetched by Source, drawn by the panels.
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { addressOf } from './address.ts';
import { drawAlerts, refusedText } from './alerts.ts';
import { drawCatalogue } from './catalogue.ts';
import { drawChannels } from './channels.ts';
import { drawContents } from './contents.ts';
import { curlLine, newId } from './curl.ts';
import { byId, put, say } from './dom.ts';
import { FocusView } from './focus.ts';
import {
  dash,
  formatAge,
  formatClock,
  formatDate,
  formatExact,
  formatInstant,
  formatWindow,
  inZone,
  sameDay,
  zoneName,
  zoneOffset,
} from './format.ts';
import { drawLedger, totalOf } from './ledger.ts';
import { keyOf, newModel } from './model.ts';
import { drawPast } from './past.ts';
import { PersonSheet } from './person.ts';
import { drawReceivers } from './receivers.ts';
import type { RiskActions } from './risk.ts';
import { idOf } from './risk.ts';
import { Sheet } from './sheet.ts';
import { drawSilences } from './silences.ts';
import { Source } from './source.ts';
import { standingOf } from './standing.ts';
import type { Key, Lang } from './strings.ts';
import { chooseLang, isKey, reasonText, text } from './strings.ts';
import { applyTheme, currentTheme, followSystem, nextTheme } from './theme.ts';
import { tiles, TileView } from './tiles.ts';
import { drawUsers } from './users.ts';

const langPlace = 'tidewatch.lang';
const model = newModel(chooseLang(location.search, [savedLang(), ...navigator.languages]));
const views = tiles.map((tile) => new TileView(tile));
let theme = currentTheme();
const focus = new FocusView((alert, length) => sheet.open(alert, length));
let line = '';

function draw(): void {
  const now = Date.now();
  if (model.timezone) inZone(model.timezone);
  say(byId('zone'), model.timezone ? text(model.lang, 'zone', { zone: zoneName() }) : '');
  // The first answers decide how tall things are: nothing moves once it is seen.
  document.body.classList.toggle('is-new', (model.alerts === null || model.ledger === null) && model.away === null);
  drawHeader(now);
  drawBanner(now);
  drawEmpty();
  focus.draw(model, now);
  for (const view of views) view.draw(model, now);
  drawUsers(byId('users'), model, riskActions);
  drawCatalogue(byId('catalogue'), model, sight);
  drawChannels(byId('channels-head'), byId('channels'), byId('channels-more'), model);
  drawContents(byId('contents'), byId('contents-more'), model);
  drawAlerts(alertParts, model, now, (alert, length) => sheet.open(alert, length), lookAtAlerts);
  byId('silences').hidden = model.silences.length === 0;
  drawSilences(byId('silences-list'), model, now, lookAtAlerts);
  drawPast(byId('past-list'), byId('no-past'), byId('more-past'), model, now);
  drawReceivers(byId('receivers'), model, now, lookAtAlerts);
  byId('no-receivers').hidden = model.alerts === null || model.receivers.length > 0;
  drawLedger(ledgerParts, model);
}

const riskActions: RiskActions = {
  choose: (channel) => source.chooseRisk(channel),
  more: () => void source.moreRisk(),
  explain: (id) => person.open(model.risk.users!.find((user) => idOf(user) === id)!),
};

const alertParts = {
  count: byId('alert-count'),
  quiet: byId('alerts-quiet'),
  untold: byId('untold'),
  failing: byId('failing'),
  list: byId('alerts-list'),
  rules: byId('rules'),
  deliveries: byId('deliveries'),
  noDeliveries: byId('no-deliveries'),
};

const ledgerParts = {
  received: byId('received'),
  bar: byId('ledger-bar'),
  list: byId('verdicts'),
  reasons: byId('reasons'),
};

/** The header says what time the numbers are of, and whether they still come. */
function drawHeader(now: number): void {
  const { lang, watermark } = model;
  const state = standingOf(model, now);
  put(byId('connection'), 'data-state', state);
  say(byId('connection'), text(lang, state));
  say(byId('watermark'), watermark === null ? dash : formatClock(watermark));
  put(byId('watermark'), 'data-value', watermark === null ? null : String(watermark));
  say(byId('offset'), zoneOffset(watermark ?? now));
  say(byId('alerts-zone'), text(lang, 'zone', { zone: zoneOffset(now) }));
  say(byId('behind'), watermark === null ? '' : text(lang, 'behind', { age: formatAge(now - watermark, lang) }));

  const open = tiles.some(({ kpi, window }) => model.figures.get(keyOf(kpi, window))?.answer?.complete === false);
  byId('open').hidden = watermark === null || !open;
  // Numbers that are not those of now must not look as if they were.
  put(document.body, 'data-standing', state);

  const old = watermark !== null && !sameDay(watermark, now);
  byId('dated').hidden = !old;
  if (old) say(byId('dated'), text(lang, 'dated', { date: formatDate(watermark) }));
}

function drawBanner(now: number): void {
  const refused = refusedText(model, now);
  byId('refused').hidden = refused === '';
  say(byId('refused'), refused);
  const banner = byId('banner');
  const words = bannerText(now);
  banner.hidden = words === null;
  put(banner, 'data-state', standingOf(model, now));
  say(banner, words ?? '');
}

function bannerText(now: number): string | null {
  const { lang, away, watermark, backlog } = model;
  const standing = standingOf(model, now);
  if (away !== null) {
    const waiting = standing === 'waiting';
    const unseen = text(lang, waiting ? 'shown_soon' : 'nothing_shown');
    const shown = watermark === null ? unseen : text(lang, 'shown_of', { time: formatInstant(watermark, now) });
    const told = { since: formatInstant(away.since, now), error: reasonText(lang, away.reason) };
    return `${text(lang, waiting ? 'not_ready' : 'lost', told)} ${shown}`;
  }
  if (standing !== 'catching' || watermark === null) return null;
  return text(lang, 'catching_up', {
    time: formatInstant(watermark, now),
    age: formatAge(now - watermark, lang),
    count: formatExact(backlog, lang),
  });
}

function drawEmpty(): void {
  const total = totalOf(model);
  byId('empty').hidden = total === null || total.received > 0;
}

/** The line is made anew only when nobody is busy with it. */
function renewLine(): void {
  if (byId('curl').contains(getSelection()?.anchorNode ?? null) && line !== '') return;
  line = curlLine(location.origin, Date.now(), newId());
  say(byId('curl'), line);
}

async function copyLine(): Promise<void> {
  getSelection()?.removeAllRanges();
  renewLine();
  try {
    await navigator.clipboard.writeText(line);
  } catch {
    getSelection()?.selectAllChildren(byId('curl'));
    return;
  }
  say(byId('copy'), text(model.lang, 'copied'));
  setTimeout(() => say(byId('copy'), text(model.lang, 'copy')), 1_500);
}

/** translate sets every fixed text: data-t for content, data-label and data-help for attributes. */
function translate(): void {
  const { lang } = model;
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  document.title = `${text(lang, 'title')} · ${text(lang, 'tagline')}`;
  for (const element of document.querySelectorAll<HTMLElement>('[data-t]')) say(element, fixed(element, 't'));
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    put(element, 'aria-label', fixed(element, 'label'));
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-help]')) {
    put(element, 'title', fixed(element, 'help'));
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-window]')) {
    say(element, formatWindow(element.dataset['window'] ?? '', lang));
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-lang]')) {
    put(button, 'aria-pressed', String(button.dataset['lang'] === lang));
  }
  labelTheme();
}

function fixed(element: HTMLElement, attribute: string): string {
  const key = element.dataset[attribute] ?? '';
  if (!isKey(key)) throw new Error(`strings.ts has no ${key}`);
  return text(model.lang, key);
}

function labelTheme(): void {
  const label: Key = `theme_${theme}`;
  put(byId('theme'), 'aria-label', text(model.lang, label));
  put(byId('theme'), 'title', text(model.lang, label));
  put(byId('theme'), 'data-state', theme);
}

function switchLang(lang: Lang): void {
  model.lang = lang;
  try {
    localStorage.setItem(langPlace, lang);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
  translate();
  draw();
}

/** turn looks at what the page's address names. */
function turn(): void {
  model.address = addressOf(location.search + location.hash);
  focus.turnTo();
  source.turn();
  draw();
}

/** Links that stay on the page change its address and nothing else. */
function followInside(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[data-inside][href]') : null;
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  turn();
}

/** What comes into sight is fetched, with a margin. */
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      for (const name of (target as HTMLElement).dataset['kpis']?.split(' ') ?? []) {
        if (isIntersecting) model.inSight.add(name);
        else model.inSight.delete(name);
      }
    }
    source.look();
  },
  { rootMargin: '200px' },
);

const usersSight = new IntersectionObserver(
  (entries) => {
    model.usersInSight = entries.at(-1)!.isIntersecting;
    source.lookAtUsers();
  },
  { rootMargin: '200px' },
);

function savedLang(): string {
  try {
    return localStorage.getItem(langPlace) ?? '';
  } catch {
    return '';
  }
}

/** lookAtAlerts shows what came of what somebody did about an alert. */
function lookAtAlerts(): void {
  draw();
  source.lookAtAlerts();
}

const sheet = new Sheet(model, lookAtAlerts);
const person = new PersonSheet(model);
document.body.append(sheet.element, person.element);
applyTheme(theme);
followSystem();
byId('tiles').append(...views.map((view) => view.element));
for (const button of document.querySelectorAll<HTMLElement>('[data-lang]')) {
  button.addEventListener('click', () => switchLang(button.dataset['lang'] === 'zh' ? 'zh' : 'en'));
}
byId('theme').addEventListener('click', () => {
  theme = nextTheme(theme);
  labelTheme();
});
byId<HTMLDetailsElement>('sent').open = matchMedia('(width >= 1040px)').matches; // else they push the tiles down
byId('more-past').addEventListener('click', () => void source.lookBack());
byId('copy').addEventListener('click', () => void copyLine());
byId('tiles').before(focus.element);
document.addEventListener('click', followInside);
addEventListener('popstate', turn);
const source = new Source(model, draw);
usersSight.observe(byId('users'));
translate();
renewLine();
turn();
source.start();
setInterval(draw, 1_000); // freshness grows while nothing comes
setInterval(renewLine, 20_000); // the times in the line stay current
