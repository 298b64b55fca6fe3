// What a dashboard's JSON says, as far as these dashboards use it.
import type { DataTransformerConfig, FieldConfigSource, RawTimeRange, TimeRange, TimeZone } from '@grafana/data';
import { dateMath, dateTimeForTimeZone, rangeUtil } from '@grafana/data';

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table';
  instant: boolean;
  interval?: string;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  timeFrom?: string;
  targets?: Target[];
  transformations?: DataTransformerConfig[];
  fieldConfig: FieldConfigSource;
  options: Record<string, unknown>;
}

export interface Variable {
  name: string;
  label: string;
  type: string;
  definition?: string;
  includeAll: boolean;
  allValue?: string;
  current: { text: string | string[]; value: string | string[] };
}

export interface Dashboard {
  title: string;
  timezone: TimeZone;
  time: { from: string; to: string };
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: { target?: Target; iconColor: string }[] };
}

/** The most rows of the grid that a picture has about. */
const tallest = 34;

/** pictures are the panels of a dashboard, a long one cut into about equal parts before some of its headings. */
export function pictures({ panels }: Dashboard): Panel[][] {
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const headings = panels.filter(({ type }) => type === 'row').map(({ gridPos: { y } }) => y);
  const nearest = (to: number) =>
    headings.reduce((one, other) => (Math.abs(other - to) < Math.abs(one - to) ? other : one));
  const parts = Math.ceil(height / tallest);
  const starts = Array.from({ length: parts }, (_, part) => (part === 0 ? 0 : nearest((height * part) / parts)));
  return starts.map((start, part) =>
    panels.filter(({ gridPos: { y } }) => y >= start && y < (starts[part + 1] ?? height)),
  );
}

/** spanOf is the time of a dashboard, or of a panel that has its own, seen from a time. */
export function spanOf({ time, timezone }: Dashboard, now: number, timeFrom?: string): TimeRange {
  const raw: RawTimeRange = timeFrom ? { from: `now-${timeFrom}`, to: 'now' } : time;
  const at = (text: string, roundUp: boolean) =>
    dateMath.toDateTime(text, { now: dateTimeForTimeZone(timezone, now), timezone, roundUp })!;
  return { from: at(raw.from as string, false), to: at(raw.to as string, true), raw };
}

export const spanName = ({ raw }: TimeRange): string => rangeUtil.describeTimeRange(raw);
