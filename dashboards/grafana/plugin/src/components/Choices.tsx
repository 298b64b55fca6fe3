import type { ComboboxOption } from '@grafana/ui';
import { MultiCombobox } from '@grafana/ui';
import * as React from 'react';
import { Cell, labelOf } from './Cell.tsx';

interface Props {
  label: string;
  values: readonly string[];
  /** What can be chosen, or what is found for what is typed. */
  options: ComboboxOption[] | ((typed: string) => Promise<ComboboxOption[]>);
  nameOf: (value: string) => string;
  error?: string | undefined;
  placeholder: string;
  /** Whether any text can be chosen. */
  open?: boolean;
  onChoose: (values: string[]) => void;
}

/** Choices are any number of several, in the order in which they were chosen. */
export function Choices({ label, values, options, nameOf, error, placeholder, open = false, onChoose }: Props) {
  const id = React.useId();
  return (
    <Cell label={label} id={id} error={error}>
      <MultiCombobox
        id={id}
        aria-labelledby={labelOf(id)}
        options={options}
        value={values.map((value) => ({ value, label: nameOf(value) }))}
        placeholder={placeholder}
        createCustomValue={open}
        onChange={(chosen) => onChoose(chosen.map(({ value }) => value))}
      />
    </Cell>
  );
}
