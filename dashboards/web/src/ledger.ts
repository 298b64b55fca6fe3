// The account of every event: one bar, one row a verdict.
import type { Total } from './api.ts';
import { verdicts } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { dash, formatExact, formatPercent } from './format.ts';
import type { Model } from './model.ts';
import { isKey, text } from './strings.ts';

export interface LedgerParts {
  received: HTMLElement;
  bar: HTMLElement;
  list: HTMLElement;
  reasons: HTMLElement;
}

/** totalOf takes the newer of what the live stream told and what was fetched. */
export function totalOf(model: Model): Total | null {
  const [told, fetched] = [model.update?.ledger, model.ledger?.total];
  if (!told || !fetched) return told ?? fetched ?? null;
  return told.received >= fetched.received ? told : fetched;
}

/** drawLedger fills the panel. */
export function drawLedger(parts: LedgerParts, model: Model): void {
  const { lang } = model;
  const total = totalOf(model);
  say(parts.received, formatExact(total?.received, lang));
  put(parts.received, 'data-value', total ? String(total.received) : null);

  rows(parts.bar, verdicts, String, () => h('span'), (part, verdict) => {
    put(part, 'data-verdict', verdict);
    part.style.flexGrow = String(total?.[verdict] ?? 0);
    part.hidden = !total?.[verdict];
  });
  rows(parts.list, verdicts, String, makeRow, (row, verdict) => {
    const [name, share, count] = [...row.children] as HTMLElement[];
    put(row, 'data-verdict', verdict);
    say(name!, text(lang, verdict));
    say(share!, total && total.received > 0 ? formatPercent(total[verdict] / total.received, lang) : dash);
    say(count!, formatExact(total?.[verdict], lang));
    put(count!, 'data-value', total ? String(total[verdict]) : null);
  });

  const reasons = Object.entries(model.ledger?.quarantined ?? {})
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6);
  parts.reasons.parentElement!.hidden = reasons.length === 0;
  rows(parts.reasons, reasons, ([reason]) => reason, makeReason, (row, [reason, count]) => {
    const key = `reason_${reason}`;
    say(row.children[0]!, isKey(key) ? text(lang, key) : reason);
    say(row.children[1]!, formatExact(count, lang));
  });
}

const makeRow = () =>
  h('li', {}, h('span', { class: 'verdict' }), h('span', { class: 'share' }), h('span', { class: 'num' }));
const makeReason = () => h('li', {}, h('span'), h('span', { class: 'num' }));
