// The sheet that explains a user: why the user is in a state, as the service tells it.
import type { Person, User } from './api.ts';
import { get, instant } from './api.ts';
import { h, rows, say } from './dom.ts';
import { formatClock, formatDate } from './format.ts';
import type { Model } from './model.ts';
import { complaint } from './refusal.ts';
import { awayText, gapText, idOf } from './risk.ts';
import type { Lang } from './strings.ts';
import { fieldName, labelName, text } from './strings.ts';

/** How many of the last gaps are written. */
const lastGaps = 20;

type Line = readonly [name: string, value: string];

/** linesOf says what is known of a user; before the service has explained it, what the list has. */
export function linesOf(user: User & Partial<Person>, lang: Lang): Line[] {
  const state = labelName(user.state, lang, 'state');
  const lines: (Line | false)[] = [
    [text(lang, 'state'), user.since === null ? state : `${state} · ${text(lang, 'since', { time: user.since })}`],
    [text(lang, 'away_for'), awayText(user, lang)],
    user.at_risk_after_days !== undefined && [
      text(lang, 'thresholds'),
      text(lang, 'thresholds_days', { risk: String(user.at_risk_after_days), churned: String(user.churned_after_days) }),
    ],
    [text(lang, 'rhythm'), gapText(user, lang)],
    user.gaps !== undefined && user.gaps.length > 0 && [text(lang, 'gaps'), user.gaps.slice(-lastGaps).join(' · ')],
    [text(lang, 'days'), text(lang, 'days_of_28', { days: String(user.active_days_28) })],
    [text(lang, 'first_seen'), user.first_seen],
    [text(lang, 'last_active'), user.last_seen],
    ...fields.map((field): Line | false => user[field] != null && [fieldName(field, lang), labelName(user[field], lang)]),
    user.rfm !== undefined && [
      'RFM',
      [labelName(user.rfm.segment, lang, 'segment'), `R ${user.rfm.r}`, `F ${user.rfm.f}`, `M ${user.rfm.m}`].join(' · '),
    ],
    ...Object.entries(user.last_touch ?? {}).map(([name, touch], _, all): Line | false => touch !== null && [
      all.length > 1 ? `${text(lang, 'last_touch')} · ${name}` : text(lang, 'last_touch'),
      touchText(touch, lang),
    ]),
    user.identities !== undefined && [text(lang, 'identities'), user.identities.join(', ')],
  ];
  return lines.filter((line) => line !== false);
}

/** touchText says what it was, when, and what its event was about. */
function touchText({ touch, time, ...fields }: NonNullable<Person['last_touch'][string]>, lang: Lang): string {
  const at = instant(time)!;
  const about = Object.entries(fields).map(([field, value]) => value !== null && `${fieldName(field, lang)} ${labelName(value, lang)}`);
  return [labelName(touch, lang, 'touch'), `${formatDate(at)} ${formatClock(at)}`, ...about.filter((words) => words !== false)].join(' · ');
}

const fields = ['channel', 'region', 'device', 'acquisition_channel'] as const;

export class PersonSheet {
  readonly element = h('dialog', { id: 'person', class: 'sheet person', 'aria-labelledby': 'person-title' });
  private readonly title = h('h2', { id: 'person-title' });
  private readonly lines = h('dl');
  private readonly wrong = h('p', { class: 'note is-wrong', role: 'alert' });
  private readonly close = h('button', { type: 'submit' });
  private user: User | undefined;

  constructor(private readonly model: Model) {
    const form = h('form', { method: 'dialog' }, this.title, this.lines, this.wrong, h('footer', {}, this.close));
    this.element.append(form);
    // A tap beside the sheet closes it.
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  /** open shows what the list has of a user, and asks for the rest. */
  open(user: User): void {
    this.user = user;
    say(this.title, idOf(user));
    say(this.close, text(this.model.lang, 'close'));
    this.show(user);
    this.fail('');
    this.element.showModal();
    void this.explain(user);
  }

  private async explain(user: User): Promise<void> {
    try {
      const { data } = await get<Person>(`users/${encodeURIComponent(idOf(user))}`);
      if (this.user === user) this.show(data);
    } catch (error) {
      if (this.user === user) this.fail(text(this.model.lang, 'unavailable', { error: complaint(error, this.model.lang) }));
    }
  }

  private show(user: User & Partial<Person>): void {
    const make = () => h('div', {}, h('dt'), h('dd'));
    rows(this.lines, linesOf(user, this.model.lang), ([name]) => name, make, (line, words) => {
      words.forEach((word, index) => say(line.children[index]!, word));
    });
  }

  private fail(words: string): void {
    say(this.wrong, words);
    this.wrong.hidden = words === '';
  }
}
