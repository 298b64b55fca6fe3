import type { ComboboxOption } from '@grafana/ui';
import * as React from 'react';
import { search } from '../search.ts';
import type { Definition } from '../types.ts';
import { say } from '../words.ts';
import { Choices } from './Choices.tsx';
import { useLang } from './lang.ts';

interface Props {
  names: readonly string[];
  definitions: readonly Definition[];
  variables: readonly string[];
  error?: string | undefined;
  onChoose: (names: string[]) => void;
}

/** Kpis are found by name or title in either language. */
export function Kpis({ names, definitions, variables, error, onChoose }: Props) {
  const lang = useLang();
  const option = ({ name, title, group }: Definition): ComboboxOption => {
    const other = lang === 'zh' ? title.en : title.zh;
    return {
      value: name,
      label: title[lang],
      description: `${name} · ${other}`,
      ...(group[lang] && { group: group[lang] }),
    };
  };
  const find = (typed: string) => {
    const found = search(definitions, typed).map(option);
    const named = variables.filter((name) => name.includes(typed));
    return Promise.resolve([
      ...found,
      ...named.map((value) => ({ value, label: value, group: say(lang, 'variable') })),
    ]);
  };
  return (
    <Choices
      label={say(lang, 'kpis')}
      values={names}
      options={find}
      nameOf={(name) => definitions.find((kpi) => kpi.name === name)?.title[lang] ?? name}
      error={error}
      placeholder={say(lang, 'kpis_placeholder')}
      onChoose={onChoose}
    />
  );
}
