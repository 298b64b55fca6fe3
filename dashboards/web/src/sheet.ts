// The sheet on which a person silences or acknowledges an alert: with one hand, on a telephone, at night.
import type { Alert } from './api.ts';
import { manager } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { formatWindow } from './format.ts';
import { labelsOf } from './labels.ts';
import type { Length, Scope } from './matchers.ts';
import { covers, lengths, scopesOf, silenceOf } from './matchers.ts';
import type { Model } from './model.ts';
import { complaint } from './refusal.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

const authorPlace = 'tidewatch.author';

type Groups = Parameters<typeof scopesOf>[1];

export class Sheet {
  readonly element = h('dialog', { id: 'sheet', class: 'sheet', 'aria-labelledby': 'sheet-title' });
  private readonly title = h('h2', { id: 'sheet-title' });
  private readonly about = h('p', { class: 'labels' });
  private readonly scopes = h('fieldset', { class: 'scopes' });
  private readonly lengths = h('fieldset', { class: 'lengths' });
  private readonly author = h('input', { id: 'sheet-author', required: '', maxlength: '100', autocomplete: 'name', enterkeyhint: 'done' });
  private readonly comment = h('input', { id: 'sheet-comment', required: '', maxlength: '500', autocomplete: 'off', enterkeyhint: 'done' });
  private readonly authorLabel = h('label', { for: 'sheet-author' });
  private readonly commentLabel = h('label', { for: 'sheet-comment' });
  private readonly wrong = h('p', { class: 'note is-wrong', role: 'alert' });
  private readonly cancel = h('button', { type: 'button' });
  private readonly confirm = h('button', { type: 'submit', class: 'primary' });
  private readonly form = h('form', {});
  private alert: Alert | undefined;
  private groups: Groups = [];
  private lang: Lang = 'en';

  /** Done is called when a silence is in effect. */
  constructor(
    private readonly model: Model,
    private readonly done: () => void,
  ) {
    this.form.append(
      this.title,
      this.about,
      this.scopes,
      this.lengths,
      this.authorLabel,
      this.author,
      this.commentLabel,
      this.comment,
      this.wrong,
      h('footer', {}, this.cancel, this.confirm),
    );
    this.element.append(this.form);
    this.cancel.addEventListener('click', () => this.element.close());
    this.lengths.addEventListener('change', () => this.write());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send();
    });
    // A tap beside the sheet closes it.
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  /** open asks about an alert; length is what is chosen to begin with. */
  open(alert: Alert, length: Length): void {
    this.alert = alert;
    this.groups = [];
    this.lang = this.model.lang;
    this.author.value = saved();
    this.comment.value = text(this.lang, length === 'resolved' ? 'comment_acknowledge' : 'comment_silence');
    this.fail('');
    this.fillScopes();
    this.fillLengths(length);
    this.write();
    this.element.showModal();
    (this.author.value === '' ? this.author : this.confirm).focus();
    void this.findGroups(alert);
  }

  /** findGroups adds the groups in which the alert is told with others. */
  private async findGroups(alert: Alert): Promise<void> {
    try {
      const { data } = await manager<NonNullable<Groups>>('GET', 'alerts/groups');
      if (this.alert !== alert) return;
      this.groups = data;
      this.fillScopes();
    } catch {
      // Without them it can be silenced alone, or with its rule.
    }
  }

  private fillScopes(): void {
    const scopes = scopesOf(this.alert!, this.groups);
    const chosen = this.chosen('scope') ?? '0';
    rows(this.scopes, scopes, ({ labels }) => JSON.stringify(labels), () => option('scope'), (row, scope, index) => {
      const [input, words] = [row.querySelector('input')!, row.querySelector('span')!];
      input.value = String(index);
      input.checked = input.value === chosen;
      say(words, scopeText(scope, this.model.alerts?.alerts ?? [], this.lang));
    });
    this.scopes.hidden = scopes.length < 2;
  }

  private fillLengths(length: Length): void {
    // What does not fire cannot be resolved.
    const offered = lengths.filter((one) => one !== 'resolved' || this.alert!.state === 'firing');
    const chosen = offered.includes(length) ? length : '2';
    rows(this.lengths, offered, String, () => option('length'), (row, one) => {
      const input = row.querySelector('input')!;
      input.value = one;
      input.checked = one === chosen;
      say(row.querySelector('span')!, one === 'resolved' ? text(this.lang, 'until_resolved') : lengthText(one, this.lang));
    });
  }

  /** write says what the chosen length makes of it. */
  private write(): void {
    const { lang, alert } = this;
    const verb = this.chosen('length') === 'resolved' ? 'acknowledge' : 'silence';
    say(this.title, `${text(lang, verb)} · ${alert!.rule}`);
    say(this.about, labelsOf(alert!.labels, lang));
    this.about.hidden = this.about.textContent === '';
    say(this.authorLabel, text(lang, 'author'));
    say(this.commentLabel, text(lang, 'comment'));
    say(this.cancel, text(lang, 'cancel'));
    say(this.confirm, text(lang, verb));
    put(this.scopes, 'aria-label', text(lang, 'silenced_alerts'));
    put(this.lengths, 'aria-label', text(lang, 'silenced_for'));
  }

  private chosen(name: string): string | undefined {
    return this.form.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value;
  }

  private fail(words: string): void {
    say(this.wrong, words);
    this.wrong.hidden = words === '';
  }

  private async send(): Promise<void> {
    const scope = scopesOf(this.alert!, this.groups)[Number(this.chosen('scope') ?? 0)]!;
    const length = (this.chosen('length') ?? '2') as Length;
    const [author, comment] = [this.author.value.trim(), this.comment.value.trim()];
    if (author === '' || comment === '') {
      this.fail(text(this.lang, 'who_and_why'));
      return;
    }
    save(author);
    this.confirm.disabled = true;
    try {
      const now = Date.now() + this.model.ahead;
      await manager('POST', 'silences', silenceOf({ labels: scope.labels, length, author, comment }, now));
      this.element.close();
      this.done();
    } catch (error) {
      this.fail(text(this.lang, 'not_silenced', { error: complaint(error, this.lang) }));
    } finally {
      this.confirm.disabled = false;
    }
  }
}

/** scopeText names what can be silenced, and says how many alerts of that fire and are pending. */
export function scopeText({ name, labels }: Scope, alerts: readonly Alert[], lang: Lang): string {
  const which = { alert: '', group: labelsText(labels, lang), rule: labels['alertname'] ?? '' }[name];
  const words = text(lang, `scope_${name}`, { which });
  if (name === 'alert') return words;
  const count = (state: string) => alerts.filter((one) => one.state === state && covers(labels, one.labels)).length;
  const [firing, pending] = [count('firing'), count('pending')];
  const counts = [
    firing > 0 ? text(lang, 'alerts_count', { firing: String(firing) }) : '',
    pending > 0 ? text(lang, 'pending_count', { count: String(pending) }) : '',
  ].filter(Boolean);
  return counts.length > 0 ? `${words} (${counts.join(' · ')})` : words;
}

const option = (name: string) => h('label', {}, h('input', { type: 'radio', name }), h('span'));

const labelsText = (labels: Record<string, string>, lang: Lang) =>
  [labels['alertname'], labelsOf(labels, lang)].filter(Boolean).join(' · ');

/** lengthText writes so many hours in their largest unit. */
export function lengthText(hours: string, lang: Lang): string {
  const amount = Number(hours);
  if (amount < 1) return formatWindow(`${amount * 60}m`, lang);
  return formatWindow(amount % 24 === 0 ? `${amount / 24}d` : `${amount}h`, lang);
}

function saved(): string {
  try {
    return localStorage.getItem(authorPlace) ?? '';
  } catch {
    return '';
  }
}

function save(author: string): void {
  try {
    localStorage.setItem(authorPlace, author);
  } catch {
    // Storage may be forbidden; then it is asked for each time.
  }
}
