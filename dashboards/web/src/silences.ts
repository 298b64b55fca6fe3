// The silences in effect and to come, each of which can be ended.
import type { Alert, Silence } from './api.ts';
import { manager } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { matchersText, untilText } from './matchers.ts';
import type { Model } from './model.ts';
import { complaint } from './refusal.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** isAcknowledgement tells a silence that somebody who looks after an alert has made from others. */
const isAcknowledgement = ({ annotations }: Silence) => annotations?.['until'] === 'resolved';

/** isAcknowledged reports whether somebody looks after an alert. */
export const isAcknowledged = ({ silenced_by }: Pick<Alert, 'silenced_by'>, silences: readonly Silence[]) =>
  silences.some((one) => isAcknowledgement(one) && silenced_by?.includes(one.id));

/** silencesText says who acknowledged or silenced an alert, why and until when. */
export function silencesText({ silenced_by }: Pick<Alert, 'silenced_by'>, silences: readonly Silence[], lang: Lang, now: number): string {
  const known = silences.filter(({ id }) => silenced_by?.includes(id));
  const words = known.map((one) =>
    text(lang, isAcknowledgement(one) ? 'acknowledged_by' : 'silenced_by', { author: one.createdBy, until: untilText(one, lang, now), comment: one.comment }),
  );
  return words.join(' ') || text(lang, 'silenced');
}

/** inhibitedText says which rules' alerts hold one back. */
export const inhibitedText = ({ inhibited_by_rules: rules }: Pick<Alert, 'inhibited_by_rules'>, lang: Lang) =>
  rules?.length ? text(lang, 'inhibited_by', { rules: rules.join(', ') }) : text(lang, 'inhibited');

/** heldText says why nobody is told of an alert; '' if they are. */
export function heldText(alert: Alert, silences: readonly Silence[], lang: Lang, now: number): string {
  const { silenced_by = [], inhibited_by = [], muted_by = [] } = alert;
  return [
    silenced_by.length > 0 ? silencesText(alert, silences, lang, now) : '',
    inhibited_by.length > 0 ? inhibitedText(alert, lang) : '',
    muted_by.length > 0 ? text(lang, 'muted', { names: muted_by.join(', ') }) : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** endSilence makes the button that ends a silence. */
function endSilence(model: Model, done: () => void): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'end' });
  button.addEventListener('click', () => void end(button, model, done));
  return button;
}

async function end(button: HTMLButtonElement, { lang }: Model, done: () => void): Promise<void> {
  button.disabled = true;
  try {
    await manager('DELETE', `silence/${button.dataset['silence']}`);
    done();
  } catch (error) {
    put(button, 'title', complaint(error, lang));
    say(button, text(lang, 'end_failed', { error: complaint(error, lang) }));
  } finally {
    button.disabled = false;
  }
}

/** drawSilences lists them. */
export function drawSilences(list: HTMLElement, model: Model, now: number, done: () => void): void {
  const { lang, silences } = model;
  const make = () => h('li', {}, h('strong'), h('span', { class: 'since' }), h('p'), endSilence(model, done));
  rows(list, silences, ({ id }) => id, make, (row, one) => {
    const [name, until, comment, button] = [...row.children] as HTMLElement[];
    put(row, 'data-state', one.status.state);
    say(name!, matchersText(one.matchers, lang));
    say(until!, untilText(one, lang, now));
    say(comment!, `${one.createdBy}: ${one.comment}`);
    put(button!, 'data-silence', one.id);
    if (!button!.title) say(button!, text(lang, 'end'));
  });
}
