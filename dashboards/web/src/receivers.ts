// Who is told of alerts, how that goes, and a test of it.
import type { Receiver, Trial } from './api.ts';
import { act, instant } from './api.ts';
import { becauseText } from './because.ts';
import { h, put, rows, say } from './dom.ts';
import { formatLength, formatMoment } from './format.ts';
import type { Model } from './model.ts';
import { complaint } from './refusal.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

type Integration = Receiver['integrations'][number];

/** standingText says how an integration fares: what went well, and what went wrong since. */
export function standingText(one: Integration, lang: Lang, now: number): string {
  const [well, wrong] = [instant(one.last_success), instant(one.last_failure)];
  const words = [
    well === null ? text(lang, 'never_delivered') : text(lang, 'delivered_at', { time: formatMoment(well, now) }),
    wrong !== null && wrong > (well ?? 0) ? text(lang, 'failed_at', { time: formatMoment(wrong, now), error: becauseText(one.last_error, one.last_reasons, lang, now) }) : '',
    one.owed > 0 ? text(lang, 'owed', { count: String(one.owed) }) : '',
  ];
  return words.filter(Boolean).join(' · ');
}

/** routedText says what leads to a receiver, and what leads on from it. */
export function routedText(receiver: Receiver, all: readonly Receiver[], lang: Lang): string {
  if (receiver.integrations.length === 0) return text(lang, 'no_integration');
  const before = all.filter(({ fallback }) => fallback === receiver.name).map(({ name }) => name);
  const words = [
    receiver.default && receiver.routed ? text(lang, 'default_receiver') : '',
    before.length > 0 ? text(lang, 'fallback_of', { receivers: before.join(', ') }) : '',
    receiver.routed || before.length > 0 ? '' : text(lang, 'not_routed'),
    receiver.fallback ? text(lang, 'falls_back', { receiver: receiver.fallback, after: formatLength(receiver.fallback_after, lang) }) : '',
  ];
  return words.filter(Boolean).join(' · ');
}

/** isFailing reports whether the last message did not arrive. */
export const isFailing = ({ last_success, last_failure }: Integration) => (instant(last_failure) ?? 0) > (instant(last_success) ?? 0);

/** trialText says what came of a test of an integration. */
export const trialText = ({ outcome, error, reasons }: Trial, lang: Lang, now: number) =>
  outcome === 'delivered' ? text(lang, 'test_delivered') : text(lang, 'test_failed', { error: becauseText(error, reasons, lang, now) });

/** drawReceivers lists them. */
export function drawReceivers(list: HTMLElement, model: Model, now: number, tested: () => void): void {
  const make = () => {
    const test = h('button', { type: 'button' });
    const row = h('li', {}, h('strong'), h('span', { class: 'to' }), test, h('ul'), h('p', { role: 'status' }));
    test.addEventListener('click', () => void run(test, row.dataset['key']!, model, tested));
    return row;
  };
  rows(list, model.receivers, ({ name }) => name, make, (row, receiver) => {
    fill(row, receiver, model, now);
  });
}

function fill(row: HTMLElement, receiver: Receiver, { lang, trials, receivers }: Model, now: number): void {
  const [name, routed, test, integrations, failure] = [...row.children] as HTMLElement[];
  const trial = trials.get(receiver.name);
  say(name!, receiver.name);
  const nobody = receiver.integrations.length === 0;
  say(routed!, routedText(receiver, receivers, lang));
  test!.hidden = nobody;
  (test as HTMLButtonElement).disabled = trial === 'running';
  say(test!, text(lang, trial === 'running' ? 'testing' : 'test'));
  const make = () => h('li', {}, h('span'), h('span', { class: 'to' }), h('span', { class: 'trial' }));
  rows(integrations!, receiver.integrations, (one) => one.name, make, (line, one) => {
    const [of, standing, came] = [...line.children] as HTMLElement[];
    say(of!, one.name);
    say(standing!, standingText(one, lang, now));
    put(line, 'data-outcome', isFailing(one) ? 'failed' : null);
    const result = Array.isArray(trial) ? trial.find(({ integration }) => integration === one.name) : undefined;
    say(came!, result ? trialText(result, lang, now) : '');
    put(came!, 'data-outcome', result?.outcome);
  });
  const refused = trial instanceof Error;
  failure!.hidden = !refused;
  say(failure!, refused ? text(lang, 'test_failed', { error: complaint(trial, lang) }) : '');
}

async function run(button: HTMLButtonElement, receiver: string, model: Model, tested: () => void): Promise<void> {
  button.disabled = true;
  model.trials.set(receiver, 'running');
  try {
    const { data } = await act<{ integrations: Trial[] }>('POST', `receivers/${encodeURIComponent(receiver)}/test`);
    model.trials.set(receiver, data.integrations);
  } catch (error) {
    model.trials.set(receiver, error instanceof Error ? error : new Error(String(error)));
  }
  tested();
}
