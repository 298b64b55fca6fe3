// Who is at risk, by name: a row a user, which opens what is known of the user.
import type { Sample, User } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import type { Figure, Model } from './model.ts';
import { keeps } from './model.ts';
import type { Lang } from './strings.ts';
import { labelName, text } from './strings.ts';

/** How many users are listed at first, and with each "more". */
export const few = 20;

/** As many as the service lists at once. */
const most = 1_000;

/** What is listed. Another list is another one of these. */
export interface Risk {
  /** That by which the users came; empty for all. */
  channel: string;
  /** Null before they are known. */
  users: User[] | null;
  next: string | null;
  /** Why they cannot be listed. */
  error?: string;
}

export const newRisk = (channel = ''): Risk => ({ channel, users: null, next: null });

export interface RiskActions {
  choose: (channel: string) => void;
  more: () => void;
  explain: (id: string) => void;
}

/** hasRisk reports whether the catalogue has what users at risk are told by. */
export const hasRisk = (model: Pick<Model, 'definitions'>) =>
  model.definitions.has('at_risk_users') && keeps(model, 'at_risk_users', 'day');

/** riskQuery asks for as many users as are listed, or for those behind them. */
export function riskQuery({ channel, users, next }: Risk, more = false): Record<string, string> {
  return {
    segment: 'at_risk',
    ...(channel ? { channel } : {}),
    limit: String(more ? few : Math.min(Math.max(few, users?.length ?? 0), most)),
    ...(more && next !== null ? { cursor: next } : {}),
  };
}

/** channelsOf are the channels that users at risk came by, those of most of them first; the one that is chosen is among them. */
export function channelsOf({ answer }: Figure, chosen: string): string[] {
  const of = ({ labels }: Sample) => labels['channel'] ?? '';
  const counted = [...(answer?.samples ?? [])].filter((sample) => of(sample) !== '__other__');
  const names = counted.sort((a, b) => (b.value ?? 0) - (a.value ?? 0)).map(of);
  return names.includes(chosen) || chosen === '' ? names : [...names, chosen];
}

/** idOf is the id by which a user is asked for. */
export const idOf = ({ user_id, anonymous_id }: Pick<User, 'user_id' | 'anonymous_id'>) => user_id ?? anonymous_id ?? '';

/** gapText says after how many days the user is usually back. */
export const gapText = ({ usual_gap_days: gap }: Pick<User, 'usual_gap_days'>, lang: Lang) =>
  gap === null ? text(lang, 'gap_unknown') : text(lang, 'usual_gap', { count: String(gap) });

export const awayText = ({ days_away: days }: Pick<User, 'days_away'>, lang: Lang) => text(lang, 'days_away', { count: String(days) });

/** seenText says by what a user stands out beside the days away. */
export function seenText(user: User, lang: Lang): string {
  const words = [gapText(user, lang), text(lang, 'last_seen', { date: user.last_seen })];
  if (user.channel !== undefined) words.push(user.channel === null ? text(lang, 'no_channel') : labelName(user.channel, lang));
  return words.join(' · ');
}

/** makeRisk makes the card's parts. */
export function makeRisk(actions: RiskActions): HTMLElement[] {
  const [filter, more] = [h('select'), h('button', { type: 'button' })];
  filter.addEventListener('change', () => actions.choose(filter.value));
  more.addEventListener('click', () => actions.more());
  return [filter, h('ul', { class: 'people', tabindex: '0' }), h('p', { class: 'note' }), more];
}

/** fillRisk fills them. */
export function fillRisk([filter, list, note, more]: HTMLElement[], { lang, risk, riskChannels }: Model, actions: RiskActions): void {
  const options = ['', ...channelsOf(riskChannels, risk.channel)];
  put(filter!, 'aria-label', text(lang, 'channel'));
  filter!.hidden = options.length < 2;
  rows(filter!, options, (channel) => `channel ${channel}`, () => h('option'), (option, channel) => {
    option.value = channel;
    say(option, channel === '' ? text(lang, 'all_channels') : labelName(channel, lang));
  });
  (filter as HTMLSelectElement).value = risk.channel;
  const users = new Map((risk.users ?? []).map((user) => [idOf(user), user]));
  put(list!, 'aria-label', text(lang, 'risk'));
  rows(list!, [...users.values()], idOf, () => makeUser(actions), (row, user) => fillUser(row, user, lang));
  const words = risk.error !== undefined ? text(lang, 'unavailable', { error: risk.error }) : risk.users?.length === 0 ? text(lang, 'risk_none') : '';
  say(note!, words);
  note!.hidden = words === '';
  more!.hidden = risk.next === null;
  say(more!, text(lang, 'show_more'));
}

function makeUser(actions: RiskActions): HTMLElement {
  const button = h('button', { type: 'button', 'aria-haspopup': 'dialog' }, h('b'), h('span', { class: 'away' }), h('span', { class: 'seen' }));
  const row = h('li', {}, button);
  button.addEventListener('click', () => actions.explain(row.dataset['key']!));
  return row;
}

function fillUser(row: HTMLElement, user: User, lang: Lang): void {
  const [name, away, seen] = [...row.firstElementChild!.children] as [HTMLElement, HTMLElement, HTMLElement];
  say(name, idOf(user));
  put(name, 'title', idOf(user));
  say(away, awayText(user, lang));
  say(seen, seenText(user, lang));
}
