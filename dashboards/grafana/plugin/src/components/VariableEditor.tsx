import type { QueryEditorProps } from '@grafana/data';
import { Alert, RadioButtonGroup, Stack } from '@grafana/ui';
import * as React from 'react';
import { choicesOf } from '../choices.ts';
import type { DataSource } from '../datasource.ts';
import type { Changes } from '../query.ts';
import { change } from '../query.ts';
import { search } from '../search.ts';
import type { Query, Settings, VariableQuery } from '../types.ts';
import { fieldName, say, windowName } from '../words.ts';
import { Cells } from './Cell.tsx';
import { Choice } from './Choice.tsx';
import { useDefinitions } from './definitions.ts';
import { Filters } from './Filters.tsx';
import { useLang } from './lang.ts';

type Props = QueryEditorProps<DataSource, Query, Settings, VariableQuery>;

/** The VariableEditor says what a variable can be: a value of a field, or the name of a KPI. */
export function VariableEditor({ datasource, query, range, onChange, onRunQuery }: Props) {
  const lang = useLang();
  const { definitions = [], error } = useDefinitions(datasource);
  const choose = (changes: Changes<VariableQuery>) => {
    onChange(change(query, changes));
    onRunQuery();
  };
  const { kind = 'values', kpi = '', field = '', window = '', filters = [] } = query;
  const variables = datasource.variableNames();
  const named = variables.map((value) => ({ value, label: value, group: say(lang, 'variable') }));
  const asked = datasource.resolveVariable(query);
  const chosen = definitions.find(({ name }) => name === asked.kpi);
  const subject: Query = { refId: query.refId, kpis: [asked.kpi ?? ''], filters };
  const offered = choicesOf(subject, definitions);
  const beside = choicesOf({ ...subject, by: asked.field ? [asked.field] : [] }, definitions);
  const kinds = [
    { value: 'values', label: say(lang, 'values_of') },
    { value: 'kpis', label: say(lang, 'names_of') },
  ] as const;
  return (
    <Stack direction="column" gap={1}>
      {error !== undefined && (
        <Alert severity="warning" title={say(lang, 'not_loaded')}>
          {error}
        </Alert>
      )}
      <Stack direction="row">
        <RadioButtonGroup
          aria-label={say(lang, 'ask')}
          options={[...kinds]}
          value={kind}
          onChange={(value) => choose({ kind: value })}
        />
      </Stack>
      {kind === 'values' && (
        <>
          <Cells>
            <Choice
              label={say(lang, 'one_kpi')}
              value={kpi}
              options={[
                ...search(definitions, '').map(({ name, title }) => ({
                  value: name,
                  label: `${title[lang]} (${name})`,
                })),
                ...named,
              ]}
              error={definitions.length > 0 && kpi && !chosen ? say(lang, 'unknown_kpis', { names: kpi }) : undefined}
              placeholder={say(lang, 'kpis_placeholder')}
              onChoose={(value) => choose({ kpi: value })}
            />
            <Choice
              label={say(lang, 'window')}
              value={window}
              options={[
                { value: '', label: say(lang, 'own_window') },
                ...offered.windows.map((value) => ({ value, label: windowName(value, lang) })),
                ...named,
              ]}
              nameOf={(value) => windowName(value, lang)}
              onChoose={(value) => choose({ window: value })}
            />
            <Choice
              label={say(lang, 'field')}
              value={field}
              options={[...offered.fields.map((value) => ({ value, label: fieldName(value, lang) })), ...named]}
              nameOf={(value) => fieldName(value, lang)}
              onChoose={(value) => choose({ field: value })}
            />
          </Cells>
          <Filters
            filters={filters}
            fields={beside.fields.filter((value) => value !== field)}
            variables={variables}
            valuesOf={(name) =>
              datasource.valuesOf({ kpi: asked.kpi ?? '', window: asked.window ?? '', field: name }, range)
            }
            onChange={(changed) => choose({ filters: changed })}
          />
        </>
      )}
    </Stack>
  );
}
