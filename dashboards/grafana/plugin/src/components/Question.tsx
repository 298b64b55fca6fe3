import type { TimeRange } from '@grafana/data';
import { Alert, Stack, Text } from '@grafana/ui';
import * as React from 'react';
import { choicesOf } from '../choices.ts';
import type { DataSource } from '../datasource.ts';
import { misfitsOf } from '../misfits.ts';
import type { Changes } from '../query.ts';
import { kindOf } from '../query.ts';
import type { Query } from '../types.ts';
import { say } from '../words.ts';
import type { Known } from './definitions.ts';
import { useLang } from './lang.ts';
import { Subject } from './Subject.tsx';
import { Users } from './Users.tsx';
import { View } from './View.tsx';

interface Props {
  datasource: DataSource;
  query: Query;
  known: Known;
  range?: TimeRange | undefined;
  live: boolean;
  onChoose: (changes: Changes<Query>) => void;
}

/** A Question is what a query of some kind asks for. */
export function Question({ datasource, query, known, range, live, onChoose }: Props) {
  const lang = useLang();
  const { definitions = [], error } = known;
  // Variables are judged by what they are just now.
  const asked = datasource.resolve(query);
  const misfits = known.definitions ? misfitsOf(asked, definitions, lang) : {};
  const common = { datasource, query, definitions, misfits, range, onChoose };
  const kind = kindOf(query);
  const choices = choicesOf(asked, definitions);
  return (
    <Stack direction="column" gap={1}>
      {error !== undefined && (
        <Alert severity="warning" title={say(lang, 'not_loaded')}>
          {error}
        </Alert>
      )}
      {(kind === 'alerts' || kind === 'revisions' || kind === 'freshness') && (
        <Text element="p" variant="bodySmall">
          {say(lang, `${kind}_help`)}
        </Text>
      )}
      {kind === 'users' && <Users {...common} />}
      {(kind === 'kpi' || kind === 'revisions') && <Subject {...common} choices={choices} />}
      {kind === 'kpi' && <View {...{ query, choices, misfits, live, onChoose }} />}
    </Stack>
  );
}
