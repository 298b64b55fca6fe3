// How much of a series that goes on a panel holds.

/** mostRows bounds the rows that are added: about five hours of one a second. */
const mostRows = 20_000;

/**
 * rowsOf is for how many rows of a series there is room: for those that it began with, and one for each second of
 * the time range. Grafana's own bound is that of a panel's points, by which the first rows of a stream push out what
 * was before; what has left the range goes by its time.
 */
export const rowsOf = (began: number, range: { from: number; to: number }) =>
  began + Math.min(Math.round((range.to - range.from) / 1000), mostRows);
