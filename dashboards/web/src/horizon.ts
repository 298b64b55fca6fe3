// Until when a day may still change, and how much of it is in.
import type { Answer, Definition } from './api.ts';
import { isOver } from './api.ts';
import { formatDate, formatShare } from './format.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

/** openText says of a day that is open how long it is, briefly and as a sentence; end is that of the day. */
export function openText(
  end: number,
  { horizon = 0 }: Pick<Definition, 'horizon'>,
  lang: Lang,
): [brief: string, sentence: string] {
  if (horizon === 0) return [text(lang, 'open'), text(lang, 'open_help')];
  const noon = end - 432e5; // clocks may change within the horizon
  const date = formatDate(noon + horizon * 864e5);
  return [text(lang, 'immature', { date }), text(lang, 'immature_help', { date })];
}

/** matureText says of a day that is over and open how much of what is expected of it is in, if that is known. */
export function matureText(answer: Answer, lang: Lang): string | undefined {
  const { complete, maturity } = answer;
  if (complete || maturity == null || !isOver(answer)) return undefined;
  return text(lang, 'mature', { share: formatShare(maturity, lang) });
}
