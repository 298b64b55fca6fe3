import type { TimeRange } from '@grafana/data';
import * as React from 'react';
import type { Choices } from '../choices.ts';
import type { DataSource } from '../datasource.ts';
import type { Misfits } from '../misfits.ts';
import type { Changes } from '../query.ts';
import { chosenOf } from '../query.ts';
import type { Definition, Query } from '../types.ts';
import { fieldsName, say, windowName } from '../words.ts';
import { Cells } from './Cell.tsx';
import { Choice } from './Choice.tsx';
import { Filters } from './Filters.tsx';
import { Kpis } from './Kpis.tsx';
import { useLang } from './lang.ts';

interface Props {
  datasource: DataSource;
  query: Query;
  definitions: readonly Definition[];
  choices: Choices;
  misfits: Misfits;
  range?: TimeRange | undefined;
  onChoose: (changes: Changes<Query>) => void;
}

/** A Subject is what numbers are asked of: KPIs, their window, breakdown and filters. */
export function Subject({ datasource, query, definitions, choices, misfits, range, onChoose }: Props) {
  const lang = useLang();
  const variables = datasource.variableNames();
  const named = variables.map((value) => ({ value, label: value, group: say(lang, 'variable') }));
  const valuesOf = async (field: string) => {
    const asked = datasource.resolve(query);
    const kpi = chosenOf(asked, definitions)[0];
    if (!kpi) return [];
    const texts = kpi.texts?.[field];
    if (texts) return texts;
    const window = asked.window ?? kpi.windows[0] ?? '';
    return datasource.valuesOf({ kpi: kpi.name, window, field }, range);
  };
  return (
    <>
      <Kpis
        names={query.kpis ?? []}
        definitions={definitions}
        variables={variables}
        error={misfits.kpis}
        onChoose={(kpis) => onChoose({ kpis })}
      />
      <Cells>
        <Choice
          label={say(lang, 'window')}
          value={query.window ?? ''}
          options={[
            { value: '', label: say(lang, 'own_window') },
            ...choices.windows.map((value) => ({ value, label: windowName(value, lang) })),
            ...named,
          ]}
          nameOf={(window) => windowName(window, lang)}
          error={misfits.window}
          onChoose={(window) => onChoose({ window })}
        />
        <Choice
          label={say(lang, 'breakdown')}
          value={(query.by ?? []).join()}
          options={[...choices.sets.map((set) => ({ value: set.join(), label: fieldsName(set, lang) })), ...named]}
          nameOf={(by) => fieldsName(by.split(','), lang)}
          error={misfits.by}
          placeholder={fieldsName([], lang)}
          onChoose={(by) => onChoose({ by: by === '' ? [] : by.split(',') })}
        />
      </Cells>
      <Filters
        filters={query.filters ?? []}
        fields={choices.fields}
        variables={variables}
        errors={misfits.filters}
        valuesOf={valuesOf}
        onChange={(filters) => onChoose({ filters })}
      />
    </>
  );
}
