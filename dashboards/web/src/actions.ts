// What a person can do about an alert, beside it.
import type { Alert } from './api.ts';
import { h, say } from './dom.ts';
import type { Length } from './matchers.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** Silence asks a person about a silence of an alert. */
export type Silence = (alert: Alert, length: Length) => void;

/** makeActions makes the buttons; what they are pressed for is what alert says at that moment. */
export function makeActions(silence: Silence, alert: () => Alert | undefined): HTMLElement {
  const button = (length: Length) => {
    const element = h('button', { type: 'button' });
    element.addEventListener('click', () => {
      const one = alert();
      if (one) silence(one, length);
    });
    return element;
  };
  return h('div', { class: 'actions' }, button('resolved'), button('2'));
}

/** fillActions shows what can be done; of what is silenced the silence is listed, with what ends it. */
export function fillActions(actions: HTMLElement, alert: Alert | undefined, lang: Lang): void {
  const [acknowledge, silence] = [...actions.children] as HTMLElement[];
  actions.hidden = alert === undefined || (alert.silenced_by ?? []).length > 0;
  acknowledge!.hidden = alert?.state !== 'firing';
  say(acknowledge!, text(lang, 'acknowledge'));
  say(silence!, `${text(lang, 'silence')} …`);
}
