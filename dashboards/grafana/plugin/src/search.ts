import type { Definition } from './types.ts';

/** search finds KPIs by their name and their titles in both languages, the nearest first; all of them without a word. */
export function search(definitions: readonly Definition[], typed: string): Definition[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return definitions
    .map((kpi) => ({ kpi, rank: rankOf(kpi, words) }))
    .filter(({ rank }) => rank < missing)
    .sort((a, b) => a.rank - b.rank || a.kpi.place - b.kpi.place)
    .map(({ kpi }) => kpi);
}

const missing = 4;

/** rankOf is 0 where all is found, 1 at a beginning, 2 inside, 3 in the heading alone. */
function rankOf({ name, title, group }: Definition, words: readonly string[]): number {
  const titles = [name, title.en, title.zh].map((text) => text.toLowerCase());
  const whole = words.join(' ');
  if (words.length === 0 || titles.includes(whole)) return 0;
  if (titles.some((text) => text.startsWith(whole))) return 1;
  const inAny = (texts: readonly string[]) => words.every((word) => texts.some((text) => text.includes(word)));
  if (inAny([...titles, name.replaceAll('_', ' ')])) return 2;
  return inAny([...titles, group.en.toLowerCase(), group.zh.toLowerCase()]) ? 3 : missing;
}
