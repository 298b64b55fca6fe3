// Whether the numbers shown are those of now, in a word.
import type { Model } from './model.ts';

export type Standing = 'away' | 'waiting' | 'catching' | 'live' | 'polling';

/** A message that has just come is no backlog. */
const moment = 10_000;

/** standingOf says how the page stands to the present; the gravest wins. */
export function standingOf(model: Model, now: number): Standing {
  if (model.away !== null) return model.away.answers ? 'waiting' : 'away';
  if (model.backlog > 0 && model.watermark !== null && now - model.watermark > moment) return 'catching';
  return model.streaming ? 'live' : 'polling';
}
