// What a chart shows: which span of time, and which points of it.

/** The length of a trend. */
export const span = 15 * 60_000;

/** A value at the end of its window; null where there is none. */
export interface Mark {
  end: number;
  value: number | null;
  /** What the value rests on, shown beside it. */
  n?: number;
}

/**
 * axisOf is the span of a trend. It ends at the watermark and not now: a replay
 * of 2017 shows 2017, and a stalled input stands still instead of running empty.
 */
export function axisOf(watermark: number): { from: number; to: number } {
  return { from: watermark - span, to: watermark };
}

/**
 * marksIn takes what lies within the axis, in order of time, one mark an instant
 * (the last one given wins). A point after the watermark is of a window that is
 * still open and is left out.
 */
export function marksIn(marks: readonly Mark[], axis: { from: number; to: number }): Mark[] {
  const byEnd = new Map<number, Mark>();
  for (const mark of marks) {
    if (mark.end >= axis.from && mark.end <= axis.to) byEnd.set(mark.end, mark);
  }
  return [...byEnd.values()].sort((a, b) => a.end - b.end);
}

/** seenEvery is the distance kept between values that the page itself remembers. */
const seenEvery = 5_000;

/**
 * remember adds a value to those seen so far, drops what has left the axis, and
 * keeps one in five seconds. A watermark behind the last one is another stream:
 * what was seen of the old one goes.
 */
export function remember(seen: readonly Mark[], mark: Mark): Mark[] {
  const kept = marksIn(seen, axisOf(mark.end));
  if (seen.some((old) => old.end > mark.end)) return [mark];
  const [before, last] = [kept.at(-2), kept.at(-1)];
  if (before && last && last.end - before.end < seenEvery) kept.pop();
  return [...kept.filter((old) => old.end !== mark.end), mark];
}

/**
 * niceRange gives the values room to breathe. It spans at least 2 % of them, so
 * that a quiet line looks quiet.
 */
export function niceRange(low: number, high: number): [number, number] {
  if (low === 0 && high === 0) return [0, 1];
  const room = Math.max((high - low) * 0.15, (Math.max(Math.abs(low), Math.abs(high)) * 0.02 - (high - low)) / 2);
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}
