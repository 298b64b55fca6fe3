// What a chart shows: which span of time, and which points of it.

/** The length of a trend, and of one by day: thirty days, of which today has begun. */
const span = 15 * 60_000;
const day = 86_400_000;
const days = 29 * day;

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
export function axisOf(watermark: number, byDay = false): { from: number; to: number } {
  // Today ends after the watermark, within a day that may have 25 hours.
  return byDay ? { from: watermark - days, to: watermark + 1.1 * day } : { from: watermark - span, to: watermark };
}

/**
 * marksIn takes what lies within the axis, in order of time, one mark an instant
 * (the last one given wins). A point after the axis is of a window that is still
 * open and is left out.
 */
export function marksIn(marks: readonly Mark[], axis: { from: number; to: number }): Mark[] {
  const byEnd = new Map<number, Mark>();
  for (const mark of marks) {
    if (mark.end >= axis.from && mark.end <= axis.to) byEnd.set(mark.end, mark);
  }
  return [...byEnd.values()].sort((a, b) => a.end - b.end);
}

/**
 * niceRange gives the values room to breathe. It spans at least 2 % of them, so
 * that a quiet line looks quiet, and no less than is worth an axis.
 */
export function niceRange(low: number, high: number, least: number): [number, number] {
  if (low === 0 && high === 0) return [0, least];
  const apart = high - low;
  const enough = Math.max(Math.max(Math.abs(low), Math.abs(high)) * 0.02, 2 * least);
  const room = Math.max(apart * 0.15, (enough - apart) / 2);
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}
