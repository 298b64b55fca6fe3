// What Grafana's Prometheus data source asks and makes of the answers.
import type { DataFrame, TimeRange } from '@grafana/data';
import { FieldType, rangeUtil, toDataFrame } from '@grafana/data';
import type { Dashboard, Target, Variable } from './dashboard.ts';

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

/** The most points of a series that Prometheus gives. */
const most = 11_000;

/** The least interval of the data sources in deploy/grafana, for want of one in the query. */
const scraped: Record<string, string> = { tidewatch: '1s', prometheus: '5s' };

/** A Source asks the API of a data source, by its uid, with the variables of a dashboard. */
export class Source {
  /** The value of each variable, and how it is shown. */
  readonly values: Record<string, string> = {};
  readonly texts: Record<string, string> = {};

  private constructor(
    private readonly uid: string,
    private readonly span: TimeRange,
  ) {}

  /** of chooses what is chosen in a dashboard, and the first value where nothing is. */
  static async of({ templating: { list } }: Dashboard, span: TimeRange): Promise<Source> {
    const uid = String(list.find(({ type }) => type === 'datasource')!.current.value);
    const source = new Source(uid, span);
    for (const variable of list) {
      const { name, current, includeAll, allValue } = variable;
      const value = includeAll ? allValue! : String(current.value) || (await source.first(variable));
      source.values[name] = value;
      source.texts[name] = String(current.text) || value;
    }
    return source;
  }

  private async first({ name, definition }: Variable): Promise<string> {
    const [, match, label] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
    if (!match) throw new Error(`variable ${name} has no value`);
    const { from, to } = this.span;
    const found = await this.get<string[]>(`label/${label}/values`, {
      'match[]': match,
      start: from.unix(),
      end: to.unix(),
    });
    return found.sort()[0] ?? '';
  }

  /** fill puts the variables into a text. */
  readonly fill = (text = ''): string =>
    text.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => this.values[name] ?? whole);

  /** ask is the answer to a target, for a panel that has room for so many points. */
  async ask(target: Target, span: TimeRange, points: number): Promise<DataFrame[]> {
    const { refId, instant, format, expr, legendFormat, interval } = target;
    const least = interval ?? scraped[this.uid]!;
    const step = Math.max(
      rangeUtil.calculateInterval(span, points, least).intervalMs / 1000,
      Math.ceil((span.to.unix() - span.from.unix()) / most),
    );
    // Four scrapes, or a step and a scrape.
    const rate = Math.max(step + rangeUtil.intervalToSeconds(least), 4 * rangeUtil.intervalToSeconds(least));
    const query = this.fill(expr.replaceAll('$__rate_interval', `${rate}s`));
    const zone = span.to.utcOffset() * 60;
    const aligned = (seconds: number) => Math.floor((seconds + zone) / step) * step - zone;
    const { result } = instant
      ? await this.get<{ result: Series[] }>('query', { query, time: span.to.valueOf() / 1000 })
      : await this.get<{ result: Series[] }>('query_range', {
          query,
          start: aligned(span.from.unix()),
          end: aligned(span.to.unix()),
          step,
        });
    if (format === 'table') return [table(refId, result)];
    return result.map((series) => frame(refId, series, step, nameOf(series.metric, legendFormat) || query));
  }

  private async get<T>(path: string, parameters: Record<string, string | number>): Promise<T> {
    const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
    const response = await fetch(`/${this.uid}/api/v1/${path}?${query}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (!response.ok) throw new Error(`${query}: ${error}`);
    return data;
  }
}

const number = (text: string) => (text === 'NaN' ? null : Number(text.replace('Inf', 'Infinity')));

/** nameOf is what a series is called: by a format with labels in braces, or by its labels. */
function nameOf({ __name__: metric = '', ...labels }: Record<string, string>, format: string): string {
  if (format) return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length > 0 ? `${metric}{${pairs.join(', ')}}` : metric;
}

function frame(refId: string, { metric, value, values }: Series, step: number, name: string): DataFrame {
  const samples = values ?? [value!];
  return toDataFrame({
    refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        values: samples.map(([at]) => at * 1000),
        config: { interval: step * 1000 },
      },
      {
        name: 'Value',
        type: FieldType.number,
        labels: metric,
        values: samples.map(([, text]) => number(text)),
        config: { displayNameFromDS: name },
      },
    ],
  });
}

/** table has a row for each series, and a column for each label. */
function table(refId: string, result: Series[]): DataFrame {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map(({ value }) => value![0] * 1000) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        values: result.map(({ metric }) => metric[name] ?? ''),
      })),
      { name: `Value #${refId}`, type: FieldType.number, values: result.map(({ value }) => number(value![1])) },
    ],
  });
}
