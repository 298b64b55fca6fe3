// What an alert's rule says: what holds for how long before it fires, and what to do then.
import type { Alert, Rule } from './api.ts';
import { currencyOfAlert } from './api.ts';
import { h, put, say } from './dom.ts';
import { formatBound, formatLength, formatMinor } from './format.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** conditionText is a bound in the unit of the value, where the rule has one, else the expression: so where that has no value. */
export function conditionText(
  alert: Pick<Alert, 'annotations' | 'labels' | 'subject'> & Partial<Pick<Alert, 'value'>>,
  rule: Pick<Rule, 'expr' | 'for' | 'recover'> | undefined,
  lang: Lang,
): string {
  const { comparison, threshold, compared, expr } = alert.annotations;
  const bound = threshold !== undefined && Number.isFinite(Number(threshold)) ? boundText(Number(threshold), alert, lang) : undefined;
  const end = compared === 'low' || compared === 'high' ? `${text(lang, compared === 'low' ? 'low_end' : 'high_end')} ` : '';
  const unvalued = expr !== undefined && alert.value === null;
  const holds = comparison && bound && !unvalued ? `${end}${comparison} ${bound}` : (rule?.expr ?? '');
  if (!holds) return '';
  return text(lang, 'condition', { holds }) + (rule ? lastsText(rule, lang) : '');
}

function boundText(bound: number, alert: Parameters<typeof conditionText>[0], lang: Lang): string {
  const unit = alert.subject?.unit ?? 'number';
  if (unit !== 'money') return formatBound(bound, unit, lang);
  const currency = currencyOfAlert(alert);
  return currency ? formatBound(bound, unit, lang, currency) : formatMinor(bound, lang);
}

/** lastsText says for how long it is to hold, and when that is over; '' for no time, and once it does not hold. */
export const lastsText = ({ for: length, recover }: Pick<Rule, 'for' | 'recover'>, lang: Lang) =>
  (length && length !== '0s' ? text(lang, 'lasts', { length: formatLength(length, lang) }) : '') + (recover ? text(lang, 'recovers', { holds: recover }) : '');

/** runbookOf is the address of what to do; undefined where it is no page. */
export function runbookOf({ annotations }: Pick<Alert, 'annotations'>): string | undefined {
  const address = annotations['runbook_url'] ?? '';
  return /^https?:\/\/[^/]/i.test(address) ? address : undefined;
}

export const makeTerms = () => h('p', { class: 'terms' }, h('span'), h('a', { target: '_blank', rel: 'noreferrer' }));

/** fillTerms writes both. */
export function fillTerms(terms: HTMLElement, alert: Alert, rule: Rule | undefined, lang: Lang): void {
  const [condition, runbook] = [...terms.children] as HTMLElement[];
  const address = runbookOf(alert);
  say(condition!, conditionText(alert, rule, lang));
  put(runbook!, 'href', address);
  say(runbook!, text(lang, 'runbook'));
  runbook!.hidden = address === undefined;
  terms.hidden = condition!.textContent === '' && address === undefined;
}
