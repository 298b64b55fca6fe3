// Where a value stands between the levels that its KPI names.
import type { Definition, Sample } from './api.ts';
import { formatValue } from './format.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

export type Level = 'good' | 'fair' | 'bad';

type Aimed = Pick<Definition, 'targets' | 'ratio' | 'unit'>;
type Reached = Pick<Sample, 'value' | 'complete' | 'n'>;

/** What fewer things say of a ratio is chance. */
const enough = 30;

/** rises tells whether higher is better. */
const rises = ({ good, bad }: NonNullable<Definition['targets']>) =>
  good === undefined || bad === undefined || good > bad;

/**
 * levelOf is where a value stands: a ratio in any window, once it rests on enough;
 * anything else, which may be more the longer its window, on a day that is over.
 */
export function levelOf(kpi: Aimed | undefined, window: string, sample: Reached | undefined): Level | undefined {
  if (!kpi?.targets || sample?.value == null) return undefined;
  if (kpi.ratio ? sample.n < enough : window !== 'day' || !sample.complete) return undefined;
  const { good, bad } = kpi.targets;
  const { value } = sample;
  const up = rises(kpi.targets);
  const reaches = (level: number | undefined) => level !== undefined && (up ? value >= level : value <= level);
  const fails = bad !== undefined && (up ? value <= bad : value >= bad);
  if (fails) return 'bad';
  if (reaches(good)) return 'good';
  return good === undefined ? undefined : 'fair';
}

/** wordOf says the level. */
export const wordOf = (level: Level | undefined, lang: Lang) => (level ? text(lang, `target_${level}`) : '');

/** describeTargets says the levels: "Good from 50% up, bad from 30% down". */
export function describeTargets(kpi: Aimed, lang: Lang, currency?: string): string {
  const { good, bad } = kpi.targets ?? {};
  const up = kpi.targets !== undefined && rises(kpi.targets);
  const say = (key: 'good_up' | 'good_down' | 'bad_up' | 'bad_down', level: number | undefined) =>
    level === undefined ? [] : [text(lang, key, { level: formatValue(level, kpi.unit, lang, currency) })];
  return [...say(up ? 'good_up' : 'good_down', good), ...say(up ? 'bad_down' : 'bad_up', bad)].join('\n');
}
