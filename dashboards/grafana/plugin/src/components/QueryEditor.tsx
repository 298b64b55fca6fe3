import type { QueryEditorProps } from '@grafana/data';
import { CoreApp } from '@grafana/data';
import { Stack } from '@grafana/ui';
import * as React from 'react';
import type { DataSource } from '../datasource.ts';
import { begin, change, isWhole, kindOf } from '../query.ts';
import type { Query, Settings } from '../types.ts';
import { useDefinitions } from './definitions.ts';
import { KindChoice } from './KindChoice.tsx';
import { Presets } from './Presets.tsx';
import { Question } from './Question.tsx';

const kinds = ['kpi', 'users', 'alerts', 'revisions', 'freshness'] as const;

/** The QueryEditor asks Tidewatch without a word of a language: by what its catalogue has. */
export function QueryEditor({
  datasource,
  query,
  range,
  app,
  onChange,
  onRunQuery,
}: QueryEditorProps<DataSource, Query, Settings>) {
  const known = useDefinitions(datasource);
  const ask = (next: Query) => {
    onChange(next);
    if (isWhole(next)) onRunQuery();
  };
  return (
    <Stack direction="column" gap={1}>
      <Stack direction="row" wrap="wrap" gap={1} alignItems="center" justifyContent="space-between">
        <KindChoice kind={kindOf(query)} kinds={kinds} onChoose={(kind) => ask(change(query, { kind }))} />
        <Presets
          definitions={known.definitions ?? []}
          onChoose={(preset) => ask(begin(query, { kind: 'kpi', ...preset }))}
        />
      </Stack>
      <Question
        {...{ datasource, query, known, range }}
        live={app !== CoreApp.UnifiedAlerting}
        onChoose={(changes) => ask(change(query, changes))}
      />
    </Stack>
  );
}
