// Why rules are in their states and notifications are not delivered, in the words of the page.
import type { Because } from './api.ts';
import { instant } from './api.ts';
import { formatLength, formatMoment } from './format.ts';
import type { Lang } from './strings.ts';
import { isKey, text } from './strings.ts';

/** becauseText writes reasons, or what the service says where it has none, or one that the page has no words for. */
export function becauseText(said: string, reasons: readonly Because[] | undefined, lang: Lang, now: number): string {
  const words = (reasons ?? []).map(({ code, args }) => {
    const key = `why_${code}`;
    return isKey(key) ? text(lang, key, written(args, lang, now)) : undefined;
  });
  return words.length > 0 && !words.includes(undefined) ? words.join(lang === 'zh' ? '；' : '; ') : said;
}

const written = (args: Because['args'], lang: Lang, now: number) =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const said = String(value);
      if (name === 'time') return [name, formatMoment(instant(said), now)];
      return [name, name === 'length' ? formatLength(said, lang) : said];
    }),
  );
