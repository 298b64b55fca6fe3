import type { AnnotationQuery, AnnotationSupport } from '@grafana/data';
import { AnnotationEditor } from './components/AnnotationEditor.tsx';
import type { Query } from './types.ts';

/** Annotations are alerts, or the windows that late events restated. */
export const annotationSupport: AnnotationSupport<Query> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => ({ kind: 'alerts' }),
  prepareQuery: ({ target }: AnnotationQuery<Query>) => ({ refId: 'Anno', ...target, kind: target?.kind ?? 'alerts' }),
};
