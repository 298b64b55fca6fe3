import type { DataQueryRequest, DataQueryResponse } from '@grafana/data';
import { CustomVariableSupport } from '@grafana/data';
import type { Observable } from 'rxjs';
import { from, map } from 'rxjs';
import { VariableEditor } from './components/VariableEditor.tsx';
import type { DataSource } from './datasource.ts';
import type { VariableQuery } from './types.ts';

/** VariableSupport is how variables of dashboards are edited, and asked for. */
export class VariableSupport extends CustomVariableSupport<DataSource, VariableQuery> {
  override editor = VariableEditor;

  constructor(private readonly datasource: DataSource) {
    super();
  }

  override query({ targets, range, scopedVars }: DataQueryRequest<VariableQuery>): Observable<DataQueryResponse> {
    const [query] = targets;
    if (!query) return from([{ data: [] }]);
    return from(this.datasource.metricFindQuery(query, { range, scopedVars })).pipe(map((data) => ({ data })));
  }
}
