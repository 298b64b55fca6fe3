// Whether the numbers shown are those of now, in a word.
import type { Model } from './model.ts';

export type Standing = 'away' | 'waiting' | 'empty' | 'catching' | 'old' | 'live' | 'polling';

/** A message that has just come is no backlog. */
const moment = 10_000;
/** After a day without events time goes on once a minute. */
const fresh = 90_000;

/** standingOf says how the page stands to the present; the gravest wins. */
export function standingOf(model: Model, now: number): Standing {
  const { away, watermark, backlog, streaming } = model;
  if (away !== null) return away.answers ? 'waiting' : 'away';
  if (watermark === null) return 'empty';
  const age = now - watermark;
  if (backlog > 0 && age > moment) return 'catching';
  if (age > fresh) return 'old';
  return streaming ? 'live' : 'polling';
}
