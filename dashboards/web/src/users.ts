// What becomes of the users, by day: who comes back, in which stage they are, who is about to leave.
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import type { Mark } from './axis.ts';
import { longDays } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import type { Model } from './model.ts';
import { keeps, titleOf } from './model.ts';
import { columnsOf, fillRetention, makeRetention } from './retention.ts';
import type { Part } from './stack.ts';
import { fillStack, makeStack } from './stack.ts';
import { text } from './strings.ts';

/** How many days the bars show. */
const days = 14;

const leaving = ['at_risk_users', 'churned_users'] as const;
/** The stages in the order of the pile; who is dormant is missing, and hangs below. */
const stages = ['returning', 'resurrecting', 'new', 'dormant'] as const;

export interface Question {
  kpi: string;
  by?: string;
  days: number;
}

const hasLifecycle = (model: Pick<Model, 'definitions'>) =>
  model.definitions.has('lifecycle') && keeps(model, 'lifecycle', 'day', 'state');

const leavingOf = (model: Pick<Model, 'definitions'>) =>
  leaving.filter((kpi) => model.definitions.has(kpi) && keeps(model, kpi, 'day'));

/** userQuestions is what the section asks for, as far as the catalogue has it. */
export function userQuestions(model: Pick<Model, 'definitions'>): Question[] {
  return [
    ...columnsOf(model).map(({ kpi }) => ({ kpi, days: longDays })),
    ...(hasLifecycle(model) ? [{ kpi: 'lifecycle', by: 'state', days }] : []),
    ...leavingOf(model).map((kpi) => ({ kpi, days })),
  ];
}

/** wholeOf is a series with a 0 on those of the last days on which it is not listed: nothing was in it. */
export function wholeOf(marks: readonly Mark[], { users }: Pick<Model, 'users'>): Mark[] {
  const ends = new Set([...users.values()].flat().flatMap((series) => series.marks.map(({ end }) => end)));
  return [...ends]
    .sort((a, b) => a - b)
    .slice(-days)
    .map((end) => marks.find((mark) => mark.end === end) ?? { end, value: 0 });
}

interface Card {
  id: 'retention' | 'lifecycle' | 'leaving';
  heading: string;
  /** What the heading leads to. */
  to: Address;
  parts: Part[];
}

function cardsOf(model: Model): Card[] {
  const { lang, users } = model;
  const day = (kpi: string, ...by: string[]): Address => ({ kpi, window: 'day', by, labels: {} });
  const cards: Card[] = [];
  const [first] = columnsOf(model);
  if (first) cards.push({ id: 'retention', heading: text(lang, 'retention'), to: day(first.kpi), parts: [] });
  if (hasLifecycle(model)) {
    const series = users.get('lifecycle') ?? [];
    const marksOf = (key: string) => series.find(({ labels }) => labels['state'] === key)?.marks ?? [];
    const parts = stages.map((key) => ({
      key,
      name: text(lang, `state_${key}`),
      marks: series.length > 0 ? wholeOf(marksOf(key), model) : [],
      below: key === 'dormant',
    }));
    cards.push({ id: 'lifecycle', heading: titleOf(model, 'lifecycle'), to: day('lifecycle', 'state'), parts });
  }
  const kept = leavingOf(model);
  if (kept[0]) {
    const parts = kept.map((key) => ({ key, name: titleOf(model, key), marks: users.get(key)?.[0]?.marks ?? [] }));
    cards.push({ id: 'leaving', heading: text(lang, 'leaving'), to: day(kept[0]), parts });
  }
  return cards;
}

/** drawUsers fills the section. */
export function drawUsers(parent: HTMLElement, model: Model): void {
  const { lang } = model;
  const cards = model.watermark === null ? [] : cardsOf(model);
  parent.hidden = cards.length === 0;
  const make = () => {
    const title = h('h2', {}, h('a', { 'data-inside': '' }));
    return h('section', { class: 'card' }, h('header', {}, title, h('span', { class: 'window' })));
  };
  rows(parent, cards, ({ id }) => id, make, (card, { id, heading, to, parts }) => {
    const [title, width] = [...card.firstElementChild!.children] as [HTMLElement, HTMLElement];
    const link = title.firstElementChild!;
    put(card, 'aria-label', heading);
    say(link, heading);
    put(link, 'href', hrefOf(to, location.search));
    const table = id === 'retention';
    if (card.children.length === 1) card.append(...(table ? makeRetention() : makeStack()));
    const [, first, second] = [...card.children] as [HTMLElement, HTMLElement, HTMLElement];
    put(link, 'title', table ? text(lang, 'retention_help') : null);
    say(width, table ? '' : text(lang, 'last_days', { count: String(days) }));
    if (table) fillRetention(first, second, model);
    else fillStack(first, second, parts, to, lang);
  });
}
