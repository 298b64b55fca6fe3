import type { TimeRange } from '@grafana/data';
import * as React from 'react';
import { keeperOf, segmentsOf, userFields } from '../choices.ts';
import type { DataSource } from '../datasource.ts';
import type { Misfits } from '../misfits.ts';
import type { Changes } from '../query.ts';
import { isWhole } from '../query.ts';
import type { Definition, Query } from '../types.ts';
import { hasVariable } from '../variables.ts';
import { say, segmentName } from '../words.ts';
import { Cells } from './Cell.tsx';
import { Choice } from './Choice.tsx';
import { Entry } from './Entry.tsx';
import { Filters } from './Filters.tsx';
import { useLang } from './lang.ts';

interface Props {
  datasource: DataSource;
  query: Query;
  definitions: readonly Definition[];
  misfits: Misfits;
  range?: TimeRange | undefined;
  onChoose: (changes: Changes<Query>) => void;
}

/** The most users that the service lists at once. */
const most = 1_000;

/** Users are those of a segment, or active on some days and not on others. */
export function Users({ datasource, query, definitions, misfits, range, onChoose }: Props) {
  const lang = useLang();
  const variables = datasource.variableNames();
  const taken = (query.filters ?? []).map(({ field }) => field);
  const days = (text: string) =>
    hasVariable(text) || /^\d{4}-\d\d-\d\d(\.\.\d{4}-\d\d-\d\d)?$/.test(text) ? undefined : say(lang, 'days_wrong');
  const count = (text: string) =>
    /^[1-9]\d*$/.test(text) && Number(text) <= most
      ? undefined
      : say(lang, 'whole_number', { from: '1', to: String(most) });
  const valuesOf = async (field: string) => {
    const kpi = keeperOf(field, definitions);
    return kpi ? datasource.valuesOf({ kpi: kpi.name, window: 'day', field }, range) : [];
  };
  return (
    <>
      <Cells>
        <Choice
          label={say(lang, 'segment')}
          value={query.segment ?? ''}
          options={[
            { value: '', label: say(lang, 'no_segment') },
            ...segmentsOf(definitions).map((value) => ({ value, label: segmentName(value, lang) })),
            ...variables.map((value) => ({ value, label: value, group: say(lang, 'variable') })),
          ]}
          nameOf={(segment) => segmentName(segment, lang)}
          error={misfits.segment ?? (isWhole(query) ? undefined : say(lang, 'segment_or_days'))}
          onChoose={(segment) => onChoose({ segment })}
        />
        <Entry
          label={say(lang, 'active')}
          stored={query.active ?? ''}
          placeholder={say(lang, 'days_placeholder')}
          check={days}
          onEnter={(active) => onChoose({ active })}
        />
        <Entry
          label={say(lang, 'not_active')}
          stored={query.notActive ?? ''}
          placeholder={say(lang, 'days_placeholder')}
          check={days}
          onEnter={(notActive) => onChoose({ notActive })}
        />
        <Entry
          label={say(lang, 'limit')}
          stored={query.limit ? String(query.limit) : ''}
          placeholder="100"
          check={count}
          onEnter={(text) => onChoose({ limit: text === '' ? undefined : Number(text) })}
        />
      </Cells>
      <Filters
        filters={query.filters ?? []}
        fields={userFields(definitions).filter((field) => !taken.includes(field))}
        variables={variables}
        errors={misfits.filters}
        valuesOf={valuesOf}
        onChange={(filters) => onChoose({ filters })}
      />
    </>
  );
}
