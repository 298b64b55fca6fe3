import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Field, Label, useStyles2 } from '@grafana/ui';
import * as React from 'react';

interface Props {
  label: string;
  /** The id of the control, which the label is for. */
  id: string;
  error?: string | undefined;
  children: React.ReactElement<Record<string, unknown>>;
}

/** A Cell is a control with its label above, and below it what is wrong with what it holds. */
export function Cell({ label, id, error, children }: Props) {
  return (
    <Field
      label={
        <Label id={labelOf(id)} htmlFor={id}>
          {label}
        </Label>
      }
      invalid={error !== undefined}
      error={error}
      noMargin
    >
      {children}
    </Field>
  );
}

/** labelOf is the id of the label, for controls that do not take the one that it is for. */
export const labelOf = (id: string) => `${id}-label`;

/** Cells stand beside each other as far as there is room; the last may be wider. */
export function Cells({
  least = 150,
  last = 1,
  children,
}: {
  least?: number;
  last?: number;
  children: React.ReactNode;
}) {
  const styles = useStyles2(cellsStyle, least, last);
  return <div className={styles}>{children}</div>;
}

const cellsStyle = (theme: GrafanaTheme2, least: number, last: number) =>
  css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(1, 2),
    '& > *': { flex: `1 1 ${least}px`, minWidth: 0 },
    '& > :last-child': { flex: `${last} 1 ${least * last}px` },
  });
