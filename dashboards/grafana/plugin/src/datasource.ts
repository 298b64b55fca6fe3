import type {
  DataQueryRequest,
  DataQueryResponse,
  DataSourceInstanceSettings,
  MetricFindValue,
  ScopedVars,
  TimeRange,
} from '@grafana/data';
import { CoreApp, StreamingFrameAction } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import { config, DataSourceWithBackend, getTemplateSrv } from '@grafana/runtime';
import type { Observable } from 'rxjs';
import { annotationSupport } from './annotations.ts';
import { isWhole, showOf } from './query.ts';
import { rowsOf } from './stream.ts';
import { describe } from './summary.ts';
import type { Definition, Filter, Query, Settings, VariableQuery } from './types.ts';
import type { Replace } from './variables.ts';
import { applied, appliedVariable } from './variables.ts';
import { VariableSupport } from './variablesupport.ts';
import { langOf } from './words.ts';

/** DataSource asks the plugin's backend, which asks Tidewatch. */
export class DataSource extends DataSourceWithBackend<Query, Settings> {
  override annotations = annotationSupport;

  constructor(
    settings: DataSourceInstanceSettings<Settings>,
    private readonly templates: TemplateSrv = getTemplateSrv(),
  ) {
    super(settings);
    this.variables = new VariableSupport(this);
    const standard = this.streamOptionsProvider;
    // A latest value takes the place of the one before; points of series follow each other.
    this.streamOptionsProvider = (request, frame) => {
      const options = standard(request, frame);
      const asked = request.targets.find(({ refId }) => refId === frame.refId);
      if (asked && showOf(asked) === 'latest') return { ...options, action: StreamingFrameAction.Replace };
      const { from, to } = request.range;
      return { ...options, maxLength: rowsOf(frame.length, { from: from.valueOf(), to: to.valueOf() }) };
    };
  }

  /** A rule is judged by a number, a panel begins with a line. */
  override getDefaultQuery(app: CoreApp): Partial<Query> {
    return app === CoreApp.UnifiedAlerting ? { kind: 'kpi', show: 'latest' } : { kind: 'kpi' };
  }

  override filterQuery(query: Query): boolean {
    return !query.hide && isWhole(query);
  }

  override applyTemplateVariables(query: Query, scoped: ScopedVars): Query {
    return applied(query, this.replace, scoped);
  }

  override query(request: DataQueryRequest<Query>): Observable<DataQueryResponse> {
    return super.query(isOpen(request) ? request : { ...request, targets: request.targets.map(still) });
  }

  override getQueryDisplayText(query: Query): string {
    return describe(query, langOf(config.bootData?.user?.language));
  }

  /** resolve is a query with what its variables are just now; its filters stay, for one at All may be at a value next. */
  resolve(query: Query): Query {
    const { filters } = query;
    return { ...applied(query, this.replace, {}), ...(filters && { filters }) };
  }

  /** resolveVariable is the same of a variable that depends on others. */
  resolveVariable(query: VariableQuery, scoped: ScopedVars = {}): VariableQuery {
    return appliedVariable(query, this.replace, scoped);
  }

  /** variableNames are the variables of the dashboard as they stand in texts. */
  variableNames(): string[] {
    return this.templates.getVariables().map(({ name }) => `$${name}`);
  }

  /** definitions are the KPIs of the service. */
  definitions(): Promise<Definition[]> {
    return this.getResource('kpis', {}, quiet) as Promise<Definition[]>;
  }

  /** valuesOf are the values that a field of a KPI has in a time, under filters if any are given. */
  async valuesOf(ask: ValuesAsk, range?: TimeRange): Promise<string[]> {
    const { kpi, field, window = '', filters = [] } = ask;
    const times = range && { from: range.from.valueOf(), to: range.to.valueOf() };
    const narrow = filters.length > 0 && { filters: JSON.stringify(filters) };
    const { values } = (await this.getResource('values', { kpi, window, field, ...narrow, ...times }, quiet)) as {
      values: string[];
    };
    return values;
  }

  override async metricFindQuery(
    query: VariableQuery,
    options: { range?: TimeRange; scopedVars?: ScopedVars } = {},
  ): Promise<MetricFindValue[]> {
    const { kind = 'values', kpi, field, ...rest } = this.resolveVariable(query, options.scopedVars);
    if (kind === 'kpis') {
      const lang = langOf(config.bootData?.user?.language);
      return (await this.definitions()).map(({ name, title }) => ({ text: title[lang], value: name }));
    }
    if (!kpi || !field) return [];
    return (await this.valuesOf({ kpi, field, ...rest }, options.range)).map((value) => ({ text: value, value }));
  }

  private readonly replace: Replace = (text, scoped, format) => this.templates.replace(text, scoped, format);
}

interface ValuesAsk {
  kpi: string;
  field: string;
  window?: string;
  filters?: Filter[];
}

/** The editors say what failed. */
const quiet = { showErrorAlert: false };

/** isOpen tells requests up to now from those of the past, to which nothing is added. */
const isOpen = ({ rangeRaw }: DataQueryRequest<Query>) =>
  rangeRaw === undefined || /^now(\/\w)?$/.test(String(rangeRaw.to));

const still = ({ live: _, ...query }: Query): Query => query;
