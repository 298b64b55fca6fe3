// Why rules are in their states and notifications are not delivered, in the words of the page.
import type { Because } from './api.ts';
import { instant } from './api.ts';
import { formatLength, formatMoment } from './format.ts';
import type { Lang } from './strings.ts';
import { isKey, text } from './strings.ts';

/** Reasons behind which stands what they come from, or what to do. */
const leading = ['paused', 'superseded', 'given_up', 'robot', 'robot_explained'];

/** What stands between a reason and that, or another one. */
const joints: Record<Lang, { lead: string; next: string }> = { en: { lead: ': ', next: '; ' }, zh: { lead: '：', next: '；' } };

/** becauseText writes reasons, or what the service says where it has none, or one that the page has no words for. */
export function becauseText(said: string, reasons: readonly Because[] | undefined, lang: Lang, now: number): string {
  let [words, joint] = ['', ''];
  for (const { code, args } of reasons ?? []) {
    const key = `why_${code}`;
    if (!isKey(key)) return said;
    words += joint + text(lang, key, written(args, lang, now));
    joint = joints[lang][leading.includes(code) ? 'lead' : 'next'];
  }
  return words || said;
}

const written = (args: Because['args'], lang: Lang, now: number) =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const said = String(value);
      if (name === 'time') return [name, formatMoment(instant(said), now)];
      return [name, name === 'length' ? formatLength(said, lang) : said];
    }),
  );
