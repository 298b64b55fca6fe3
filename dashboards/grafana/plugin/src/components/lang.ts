import { config } from '@grafana/runtime';
import type { Lang } from '../words.ts';
import { langOf } from '../words.ts';

/** useLang is the language that Grafana's user has chosen, as far as the editors speak it. */
export const useLang = (): Lang => langOf(config.bootData?.user?.language);
