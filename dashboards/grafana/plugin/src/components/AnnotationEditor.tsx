import type { AnnotationQuery, QueryEditorProps } from '@grafana/data';
import { Stack } from '@grafana/ui';
import * as React from 'react';
import type { DataSource } from '../datasource.ts';
import type { Changes } from '../query.ts';
import { change, isWhole, kindOf } from '../query.ts';
import type { Query, Settings } from '../types.ts';
import { useDefinitions } from './definitions.ts';
import { KindChoice } from './KindChoice.tsx';
import { Question } from './Question.tsx';

type Props = QueryEditorProps<DataSource, Query, Settings> & {
  annotation?: AnnotationQuery<Query>;
  onAnnotationChange?: (annotation: AnnotationQuery<Query>) => void;
};

/** The AnnotationEditor offers what has a time: alerts, and restated windows. */
export function AnnotationEditor({ datasource, query, range, onChange, onRunQuery }: Props) {
  const known = useDefinitions(datasource);
  const choose = (changes: Changes<Query>) => {
    const next = change(query, changes);
    onChange(next);
    if (isWhole(next)) onRunQuery();
  };
  return (
    <Stack direction="column" gap={1}>
      <KindChoice kind={kindOf(query)} kinds={['alerts', 'revisions']} onChoose={(kind) => choose({ kind })} />
      <Question {...{ datasource, query, known, range }} live={false} onChoose={choose} />
    </Stack>
  );
}
