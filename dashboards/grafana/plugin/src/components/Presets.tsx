import { Button, Stack } from '@grafana/ui';
import * as React from 'react';
import { presetsOf } from '../presets.ts';
import type { Definition, Query } from '../types.ts';
import { say } from '../words.ts';
import { useLang } from './lang.ts';

interface Props {
  definitions: readonly Definition[];
  onChoose: (ask: Partial<Query>) => void;
}

/** Presets are whole questions, one click away. */
export function Presets({ definitions, onChoose }: Props) {
  const lang = useLang();
  return (
    <div role="group" aria-label={say(lang, 'presets')}>
      <Stack direction="row" wrap="wrap" gap={1}>
        {presetsOf(definitions).map(({ name, ask }) => (
          <Button key={name} size="sm" variant="secondary" fill="outline" onClick={() => onChoose(ask)}>
            {say(lang, name)}
          </Button>
        ))}
      </Stack>
    </div>
  );
}
