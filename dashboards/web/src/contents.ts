// The contents with the most plays in the last hour; the link in the heading leads to more.
import { hrefOf } from './address.ts';
import type { Sample } from './api.ts';
import { h, put, rows, say } from './dom.ts';
import { formatCount } from './format.ts';
import type { Model } from './model.ts';
import { keeps } from './model.ts';
import { labelName, text } from './strings.ts';

const most = 10;

/** drawContents fills the list. */
export function drawContents(list: HTMLElement, more: HTMLElement, model: Model): void {
  const { lang, contents } = model;
  list.closest<HTMLElement>('.card')!.hidden = !keeps(model, 'top_contents', '1h', 'content_id');
  const whole = { kpi: 'top_contents', window: '1h', by: ['content_id'], labels: {} };
  put(list.closest('.card')!.querySelector('h2 a')!, 'href', hrefOf(whole, location.search));
  const all = contents.answer?.samples ?? [];
  const highest = Math.max(0, ...all.map((sample) => sample.value ?? 0));
  rows(list, all.slice(0, most), contentOf, makeRow, (row, sample, index) => {
    const [rank, name, fill, plays] = [...row.children] as HTMLElement[];
    put(row, 'data-content', contentOf(sample));
    say(rank!, String(index + 1));
    say(name!, labelName(contentOf(sample), lang));
    put(name!, 'title', contentOf(sample));
    fill!.style.setProperty('--share', String(highest > 0 ? (sample.value ?? 0) / highest : 0));
    say(plays!, formatCount(sample.value, lang));
    put(plays!, 'data-value', String(sample.value));
  });
  if (contents.error) say(more, text(lang, 'unavailable', { error: contents.error }));
  else say(more, all.length === 0 && model.heard !== null ? text(lang, 'no_rows') : '');
  more.hidden = more.textContent === '';
}

const contentOf = (sample: Sample) => sample.labels['content_id'] ?? '(none)';

const makeRow = () =>
  h(
    'li',
    {},
    h('span', { class: 'rank' }),
    h('span', { class: 'content' }),
    h('span', { class: 'fill', 'aria-hidden': 'true' }),
    h('span', { class: 'num' }),
  );
