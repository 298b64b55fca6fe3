import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, IconButton, useStyles2 } from '@grafana/ui';
import * as React from 'react';
import type { Filter } from '../types.ts';
import { fieldName, say, valueName } from '../words.ts';
import { Cells } from './Cell.tsx';
import { Choice } from './Choice.tsx';
import { Choices } from './Choices.tsx';
import { Entry } from './Entry.tsx';
import { useLang } from './lang.ts';

interface Props {
  filters: readonly Filter[];
  /** What can be filtered by beside what is. */
  fields: readonly string[];
  variables: readonly string[];
  errors?: readonly (string | undefined)[] | undefined;
  valuesOf: (field: string) => Promise<string[]>;
  onChange: (filters: Filter[]) => void;
}

/** Filters leave series with some values of fields. */
export function Filters({ filters, fields, variables, errors, valuesOf, onChange }: Props) {
  const lang = useLang();
  const styles = useStyles2(filtersStyles);
  const put = (place: number, filter: Filter) => onChange(filters.map((one, at) => (at === place ? filter : one)));
  const [first] = fields;
  return (
    <div role="group" aria-label={say(lang, 'filters')}>
      {filters.map((filter, place) => (
        <div key={place} className={styles.row}>
          <div className={styles.parts}>
            <One
              {...{ filter, place, fields, variables }}
              error={errors?.[place]}
              valuesOf={() => valuesOf(filter.field)}
              onChange={(changed) => put(place, changed)}
            />
          </div>
          <IconButton
            name="trash-alt"
            className={styles.remove}
            tooltip={say(lang, 'remove_filter', { field: fieldName(filter.field, lang) })}
            onClick={() => onChange(filters.filter((_, at) => at !== place))}
          />
        </div>
      ))}
      {first !== undefined && (
        <Button
          icon="plus"
          size="sm"
          variant="secondary"
          fill="outline"
          onClick={() => onChange([...filters, { field: first, op: '=', values: [] }])}
        >
          {say(lang, 'add_filter')}
        </Button>
      )}
    </div>
  );
}

interface OneProps {
  filter: Filter;
  place: number;
  fields: readonly string[];
  variables: readonly string[];
  error: string | undefined;
  valuesOf: () => Promise<string[]>;
  onChange: (filter: Filter) => void;
}

function One({ filter, place, fields, variables, error, valuesOf, onChange }: OneProps) {
  const lang = useLang();
  const { field, op, values } = filter;
  const named = { place: String(place + 1) };
  const nameOf = (value: string) => valueName(value, lang, field);
  const find = async (typed: string) => {
    const known = await valuesOf();
    const found = known.filter((value) => `${value} ${nameOf(value)}`.toLowerCase().includes(typed.toLowerCase()));
    return [
      ...variables.filter((name) => name.includes(typed)).map((value) => ({ value, group: say(lang, 'variable') })),
      ...found.map((value) => ({ value, label: nameOf(value) })),
    ];
  };
  return (
    <Cells least={110} last={2}>
      <Choice
        label={say(lang, 'filter_field', named)}
        value={field}
        options={[...new Set([field, ...fields])].map((value) => ({ value, label: fieldName(value, lang) }))}
        nameOf={(name) => fieldName(name, lang)}
        error={error}
        onChoose={(chosen) => onChange({ field: chosen, op, values: chosen === field ? values : [] })}
      />
      <Choice
        label={say(lang, 'filter_op', named)}
        value={op}
        options={[
          { value: '=', label: say(lang, 'one_of') },
          { value: '=~', label: say(lang, 'matches') },
        ]}
        onChoose={(chosen) => onChange({ ...filter, op: chosen as Filter['op'] })}
      />
      {op === '=' ? (
        <Choices
          label={say(lang, 'filter_values', named)}
          values={values}
          options={find}
          nameOf={nameOf}
          placeholder={say(lang, 'any_value')}
          open
          onChoose={(chosen) => onChange({ ...filter, values: chosen })}
        />
      ) : (
        <Entry
          label={say(lang, 'filter_values', named)}
          stored={values[0] ?? ''}
          placeholder={say(lang, 'expression')}
          onEnter={(text) => onChange({ ...filter, values: text === '' ? [] : [text] })}
        />
      )}
    </Cells>
  );
}

const filtersStyles = (theme: GrafanaTheme2) => ({
  row: css({ display: 'flex', gap: theme.spacing(1), marginBottom: theme.spacing(1) }),
  parts: css({ flex: 1, minWidth: 0 }),
  remove: css({ marginTop: theme.spacing(3.5) }),
});
