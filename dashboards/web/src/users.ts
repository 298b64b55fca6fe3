// What becomes of the users: who comes back, in which stage they are, who leaves, how far they come, what they pay.
import type { Address } from './address.ts';
import { hrefOf } from './address.ts';
import type { Mark } from './axis.ts';
import { longDays } from './axis.ts';
import { h, put, rows, say } from './dom.ts';
import type { Model } from './model.ts';
import { fillFunnel, funnelsOf, makeFunnel, partsOf, running } from './funnel.ts';
import { keeps, titleOf } from './model.ts';
import { columnsOf, fillRetention, makeRetention } from './retention.ts';
import type { RiskActions } from './risk.ts';
import { fillRisk, hasRisk, makeRisk } from './risk.ts';
import { dayText, fillSegments, makeSegments, newestOf, segmentedOf } from './segments.ts';
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
    ...funnelsOf(model)
      .flatMap(partsOf)
      .filter(({ kpi, by }) => keeps(model, kpi, 'day', by))
      .map((part) => ({ ...part, days })),
    ...segmentedOf(model).map(({ name }) => ({ kpi: name, by: 'segment', days })),
  ];
}

/** runningQuestions is what it asks for of the last 24 hours. */
export function runningQuestions(model: Pick<Model, 'definitions'>): Omit<Question, 'days'>[] {
  return funnelsOf(model)
    .flatMap(partsOf)
    .filter(({ kpi, by }) => keeps(model, kpi, running, by));
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
  id: string;
  heading: string;
  /** What the heading leads to. */
  to: Address;
  /** What it says beside the heading. */
  aside: string;
  help?: string;
  make: () => HTMLElement[];
  /** Fills what was made. */
  fill: (...made: HTMLElement[]) => void;
}

function cardsOf(model: Model, actions: RiskActions): Card[] {
  const { lang, users } = model;
  const day = (kpi: string, ...by: string[]): Address => ({ kpi, window: 'day', by, labels: {} });
  const aside = text(lang, 'last_days', { count: String(days) });
  const cards: Card[] = [];
  const [first] = columnsOf(model);
  if (first) {
    cards.push({
      id: 'retention',
      heading: text(lang, 'retention'),
      to: day(first.kpi),
      aside: '',
      help: text(lang, 'retention_help'),
      make: makeRetention,
      fill: (table, note) => fillRetention(table!, note!, model),
    });
  }
  if (hasLifecycle(model)) {
    const series = users.get('lifecycle') ?? [];
    const marksOf = (key: string) => series.find(({ labels }) => labels['state'] === key)?.marks ?? [];
    const parts = stages.map((key) => ({
      key,
      name: text(lang, `state_${key}`),
      marks: series.length > 0 ? wholeOf(marksOf(key), model) : [],
      below: key === 'dormant',
    }));
    const to = day('lifecycle', 'state');
    const fill: Card['fill'] = (legend, bars) => fillStack(legend!, bars!, parts, to, lang);
    cards.push({ id: 'lifecycle', heading: titleOf(model, 'lifecycle'), to, aside, make: makeStack, fill });
  }
  const kept = leavingOf(model);
  if (kept[0]) {
    const parts = kept.map((key) => ({ key, name: titleOf(model, key), marks: users.get(key)?.[0]?.marks ?? [] }));
    const to = day(kept[0]);
    const fill: Card['fill'] = (legend, bars) => fillStack(legend!, bars!, parts, to, lang);
    cards.push({ id: 'leaving', heading: text(lang, 'leaving'), to, aside, make: makeStack, fill });
  }
  if (hasRisk(model)) {
    cards.push({
      id: 'risk',
      heading: text(lang, 'risk'),
      to: day('at_risk_users'),
      aside: '',
      make: () => makeRisk(actions),
      fill: (...made) => fillRisk(made, model, actions),
    });
  }
  for (const funnel of funnelsOf(model)) {
    const { kpi } = funnel;
    cards.push({
      id: `${kpi} by step`, // names of KPIs have no spaces
      heading: titleOf(model, kpi),
      to: { ...day(kpi, 'step'), window: keeps(model, kpi, 'day', 'step') ? 'day' : running },
      aside: '',
      make: makeFunnel,
      fill: (place) => fillFunnel(place!, funnel, model),
    });
  }
  for (const kpi of segmentedOf(model)) {
    cards.push({
      id: `${kpi.name} by segment`,
      heading: titleOf(model, kpi.name),
      to: day(kpi.name, 'segment'),
      aside: dayText(newestOf(users.get(kpi.name) ?? []), kpi, lang),
      make: makeSegments,
      fill: (list) => fillSegments(list!, kpi, model),
    });
  }
  return cards;
}

/** drawUsers fills the section. */
export function drawUsers(parent: HTMLElement, model: Model, actions: RiskActions): void {
  const cards = model.watermark === null ? [] : cardsOf(model, actions);
  parent.hidden = cards.length === 0;
  const make = () => {
    const title = h('h2', {}, h('a', { 'data-inside': '' }));
    return h('section', { class: 'card' }, h('header', {}, title, h('span', { class: 'window' })));
  };
  rows(parent, cards, ({ id }) => id, make, (card, { heading, to, aside, help, make, fill }) => {
    const [title, beside] = [...card.firstElementChild!.children] as [HTMLElement, HTMLElement];
    const link = title.firstElementChild!;
    put(card, 'aria-label', heading);
    say(link, heading);
    put(link, 'href', hrefOf(to, location.search));
    put(link, 'title', help);
    say(beside, aside);
    if (card.children.length === 1) card.append(...make());
    fill(...([...card.children].slice(1) as HTMLElement[]));
  });
}
