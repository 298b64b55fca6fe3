import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import {
  onUpdateDatasourceSecureJsonDataOption,
  updateDatasourcePluginJsonDataOption,
  updateDatasourcePluginResetOption,
} from '@grafana/data';
import { config } from '@grafana/runtime';
import { DataSourceHttpSettings, Field, FieldSet, RadioButtonGroup, SecretInput } from '@grafana/ui';
import * as React from 'react';
import type { SecureSettings, Settings } from '../types.ts';
import { say } from '../words.ts';
import { useLang } from './lang.ts';

type Props = DataSourcePluginOptionsEditorProps<Settings, SecureSettings>;

/** The ConfigEditor says where Tidewatch is, and how it is asked. */
export function ConfigEditor(props: Props) {
  const lang = useLang();
  const { options, onOptionsChange } = props;
  const token = React.useId();
  const titles = React.useId();
  return (
    <>
      <DataSourceHttpSettings
        defaultUrl="http://127.0.0.1:8080"
        dataSourceConfig={options}
        onChange={onOptionsChange}
        secureSocksDSProxyEnabled={config.secureSocksDSProxyEnabled}
      />
      <FieldSet label={say(lang, 'tidewatch')}>
        <Field label={say(lang, 'token')} description={say(lang, 'token_help')} htmlFor={token}>
          <SecretInput
            id={token}
            width={40}
            isConfigured={options.secureJsonFields['token'] ?? false}
            value={options.secureJsonData?.token ?? ''}
            onChange={onUpdateDatasourceSecureJsonDataOption(props, 'token')}
            onReset={() => updateDatasourcePluginResetOption(props, 'token')}
          />
        </Field>
        <Field label={say(lang, 'titles_in')} description={say(lang, 'titles_in_help')} htmlFor={titles}>
          <RadioButtonGroup
            id={titles}
            aria-label={say(lang, 'titles_in')}
            options={[
              { value: 'en' as const, label: 'English' },
              { value: 'zh' as const, label: '中文' },
            ]}
            value={options.jsonData.language ?? 'en'}
            onChange={(language) => updateDatasourcePluginJsonDataOption(props, 'language', language)}
          />
        </Field>
      </FieldSet>
    </>
  );
}
