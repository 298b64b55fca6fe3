// What dashboards store and what the service answers.
import type { DataSourceJsonData } from '@grafana/data';
import type { DataQuery } from '@grafana/schema';
import type { Definition as Listed } from '../../../web/src/api.ts';
import type { Lang } from '../../../web/src/strings.ts';

export type Kind = 'kpi' | 'users' | 'alerts' | 'revisions' | 'freshness';
export type Show = 'series' | 'latest' | 'table' | 'triangle';
export type Value = 'value' | 'numerator' | 'denominator' | 'n' | 'low' | 'high';
export type Compare = 'previous' | 'yesterday' | 'last_week';

/** A Filter leaves series with one of the values; with =~ those whose whole value the expression (RE2) matches. */
export interface Filter {
  field: string;
  op: '=' | '=~';
  values: string[];
}

/** A Query is stored in dashboards: what is absent takes the default, and stays absent. */
export interface Query extends DataQuery {
  /** By default kpi. */
  kind?: Kind;
  /** Names, at least one. Also of revisions, as are window, by and filters. */
  kpis?: string[];
  /** By default the KPI's own. */
  window?: string;
  by?: string[];
  /** Also of users. */
  filters?: Filter[];
  compare?: Compare[];
  /** So many series, the largest. */
  top?: number;
  /** By default series. */
  show?: Show;
  /** By default value. */
  value?: Value;
  /** Whether low and high are fields of their own. */
  bounds?: boolean;
  /** Whether amounts stay in minor units. */
  minor?: boolean;
  /** Whether latest and table are of a window that is over, not of the live one. */
  closed?: boolean;
  live?: boolean;

  segment?: string;
  /** A business day, or two with .. between. */
  active?: string;
  notActive?: string;
  /** How many users. */
  limit?: number;
}

/** A VariableQuery asks for the values of a field, or for the names of KPIs. */
export interface VariableQuery extends DataQuery {
  kind?: 'values' | 'kpis';
  kpi?: string;
  window?: string;
  field?: string;
  filters?: Filter[];
}

export interface Settings extends DataSourceJsonData {
  /** In which titles are; by default en. */
  language?: Lang;
}

export interface SecureSettings {
  /** Sent to the service as bearer. */
  token?: string;
}

/** A Definition is a KPI as the service lists it. */
export type Definition = Listed & {
  /** Whether a day has no value before it is final. */
  final_only?: boolean;
};
