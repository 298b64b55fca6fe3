import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Checkbox, RadioButtonGroup, Text, useStyles2 } from '@grafana/ui';
import * as React from 'react';
import type { Choices as Offer } from '../choices.ts';
import type { Misfits } from '../misfits.ts';
import type { Changes } from '../query.ts';
import { showOf } from '../query.ts';
import type { Compare, Query, Value } from '../types.ts';
import { say } from '../words.ts';
import { Cell, Cells } from './Cell.tsx';
import { Choice } from './Choice.tsx';
import { Choices } from './Choices.tsx';
import { Entry } from './Entry.tsx';
import { useLang } from './lang.ts';

interface Props {
  query: Query;
  choices: Offer;
  misfits: Misfits;
  /** Whether it can go on by itself where it is asked. */
  live: boolean;
  onChoose: (changes: Changes<Query>) => void;
}

/** The most series that the service lists as the largest. */
const most = 10_000;

/** A View is how numbers are shown: as what, which of them, held against what. */
export function View({ query, choices, misfits, live, onChoose }: Props) {
  const lang = useLang();
  const styles = useStyles2(viewStyles);
  const id = React.useId();
  const shows = [...new Set([...choices.shows, showOf(query)])];
  const count = (text: string) =>
    /^[1-9]\d*$/.test(text) && Number(text) <= most
      ? undefined
      : say(lang, 'whole_number', { from: '1', to: String(most) });
  const switches = [
    { name: 'bounds', offered: choices.bounds },
    { name: 'minor', offered: choices.minor },
    { name: 'closed', offered: choices.closed },
    { name: 'live', offered: choices.live && live },
  ] as const;
  return (
    <>
      <Cell label={say(lang, 'show')} id={id} error={misfits.show}>
        <RadioButtonGroup
          id={id}
          aria-label={say(lang, 'show')}
          className={styles.group}
          options={shows.map((value) => ({ value, label: say(lang, value) }))}
          value={showOf(query)}
          onChange={(show) => onChoose({ show })}
        />
      </Cell>
      <Cells>
        <Choice
          label={say(lang, 'value_of')}
          value={query.value ?? 'value'}
          options={choices.values.map((value) => ({ value, label: say(lang, value) }))}
          nameOf={(value) => say(lang, value as Value)}
          error={misfits.value}
          onChoose={(value) => onChoose({ value: value === 'value' ? undefined : (value as Value) })}
        />
        {(choices.compares.length > 0 || query.compare) && (
          <Choices
            label={say(lang, 'compare')}
            values={query.compare ?? []}
            options={choices.compares.map((value) => ({ value, label: say(lang, value) }))}
            nameOf={(value) => say(lang, value as Compare)}
            error={misfits.compare}
            placeholder={say(lang, 'no_comparison')}
            onChoose={(compare) => onChoose({ compare: compare as Compare[] })}
          />
        )}
        {(choices.top || query.top) && (
          <Entry
            label={say(lang, 'top')}
            stored={query.top ? String(query.top) : ''}
            placeholder={say(lang, 'every_series')}
            error={misfits.top}
            check={count}
            onEnter={(text) => onChoose({ top: text === '' ? undefined : Number(text) })}
          />
        )}
      </Cells>
      <div className={styles.switches}>
        {switches
          .filter(({ name, offered }) => offered || query[name])
          .map(({ name }) => (
            <Checkbox
              key={name}
              label={say(lang, name)}
              description={misfits[name] ? <Text color="error">{misfits[name]}</Text> : say(lang, `${name}_help`)}
              invalid={misfits[name] !== undefined}
              value={query[name] ?? false}
              onChange={(event) => onChoose({ [name]: event.currentTarget.checked })}
            />
          ))}
      </div>
    </>
  );
}

const viewStyles = (theme: GrafanaTheme2) => ({
  group: css({ flexWrap: 'wrap', height: 'auto' }),
  switches: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1, 3) }),
});
