import type { ComboboxOption } from '@grafana/ui';
import { Combobox } from '@grafana/ui';
import * as React from 'react';
import { Cell } from './Cell.tsx';

interface Props {
  label: string;
  value: string;
  options: readonly ComboboxOption[];
  /** What a value is called that is stored and not offered. */
  nameOf?: (value: string) => string;
  error?: string | undefined;
  placeholder?: string;
  onChoose: (value: string) => void;
}

/** A Choice is one of several. What is stored stays in sight, offered or not. */
export function Choice({ label, value, options, nameOf = String, error, placeholder = '', onChoose }: Props) {
  const id = React.useId();
  const known = options.some((option) => option.value === value);
  const all = known || value === '' ? [...options] : [{ value, label: nameOf(value) }, ...options];
  return (
    <Cell label={label} id={id} error={error}>
      <Combobox
        id={id}
        options={all}
        value={known || value !== '' ? value : null}
        placeholder={placeholder}
        onChange={(option) => onChoose(option.value)}
      />
    </Cell>
  );
}
