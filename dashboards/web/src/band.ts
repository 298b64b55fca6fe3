// What is usual of a KPI at an hour of the week: the band that its chart shows.
import type { Address } from './address.ts';
import type { Definition } from './api.ts';
import type { Axis } from './axis.ts';

/** What is usual at a time. */
export interface Usual {
  at: number;
  low: number;
  high: number;
}

/** Windows of an hour have a band, but for lists of the largest. */
export const hasBand = (definition: Pick<Definition, 'top'> | undefined, window: string) => window === '1h' && definition?.top === 0;

/** Between two points of the band, in milliseconds. */
const bandStep = 300_000;

/** bandQueries ask for the lower and the upper end, of the series that an address means. */
export function bandQueries({ kpi, by, labels }: Address, { from, to }: Axis): Record<string, string>[] {
  const matchers = Object.entries({ by: by.join() || 'total', window: '1h', ...labels }).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const start = Math.floor(from / bandStep) * bandStep;
  return ['low', 'high'].map((end) => ({
    query: `kpi_${kpi}_band_${end}{${matchers.join()}}`,
    start: String(start / 1000),
    end: String(Math.ceil(to / 1000)),
    step: String(bandStep / 1000),
  }));
}

/** A range as Prometheus' API answers it, as far as it is read. */
export interface Matrix {
  result: { metric: Record<string, string>; values: [at: number, value: string][] }[];
}

/** bandOf puts both ends together, of amounts in that currency. */
export function bandOf(low: Matrix, high: Matrix, currency: string | undefined): Usual[] {
  const ends = ({ result }: Matrix) =>
    new Map(result.find(({ metric }) => !currency || !metric['currency'] || metric['currency'] === currency)?.values ?? []);
  const highs = ends(high);
  return [...ends(low)].flatMap(([at, value]) => {
    const other = highs.get(at);
    return other === undefined ? [] : [{ at: at * 1000, low: Number(value), high: Number(other) }];
  });
}

/** usualAt is what is usual at a time; undefined where that is not known. */
export function usualAt(band: readonly Usual[], at: number): Usual | undefined {
  const last = band.filter((one) => one.at <= at).at(-1);
  return last && at - last.at < bandStep ? last : undefined;
}
