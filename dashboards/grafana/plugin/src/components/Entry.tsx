import { Input } from '@grafana/ui';
import * as React from 'react';
import { Cell } from './Cell.tsx';

interface Props {
  label: string;
  stored: string;
  placeholder: string;
  error?: string | undefined;
  /** What is wrong with a text, if anything is. */
  check?: (text: string) => string | undefined;
  onEnter: (text: string) => void;
}

/** An Entry is a text that counts once it is left, or Enter is pressed, and nothing is wrong with it. */
export function Entry({ label, stored, placeholder, error, check = () => undefined, onEnter }: Props) {
  const id = React.useId();
  const [typed, setTyped] = React.useState(stored);
  React.useEffect(() => setTyped(stored), [stored]);
  const text = typed.trim();
  const wrong = text === '' ? undefined : check(text);
  const enter = () => {
    if (text !== stored && wrong === undefined) onEnter(text);
  };
  return (
    <Cell label={label} id={id} error={wrong ?? error}>
      <Input
        id={id}
        value={typed}
        placeholder={placeholder}
        autoComplete="off"
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={enter}
        onKeyDown={(event) => {
          if (event.key === 'Enter') enter();
        }}
      />
    </Cell>
  );
}
