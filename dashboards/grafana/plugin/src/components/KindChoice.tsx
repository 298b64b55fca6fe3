import { css } from '@emotion/css';
import { RadioButtonGroup, useStyles2 } from '@grafana/ui';
import * as React from 'react';
import type { Kind } from '../types.ts';
import { say } from '../words.ts';
import { useLang } from './lang.ts';

interface Props {
  kind: Kind;
  kinds: readonly Kind[];
  onChoose: (kind: Kind) => void;
}

/** A KindChoice is what a query is about. */
export function KindChoice({ kind, kinds, onChoose }: Props) {
  const lang = useLang();
  const style = useStyles2(groupStyle);
  const all = kinds.includes(kind) ? kinds : [...kinds, kind];
  return (
    <RadioButtonGroup
      aria-label={say(lang, 'ask')}
      className={style}
      options={all.map((value) => ({ value, label: say(lang, value) }))}
      value={kind}
      onChange={onChoose}
    />
  );
}

const groupStyle = () => css({ flexWrap: 'wrap', height: 'auto', alignSelf: 'start' });
