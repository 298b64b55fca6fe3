import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './components/ConfigEditor.tsx';
import { QueryEditor } from './components/QueryEditor.tsx';
import { DataSource } from './datasource.ts';
import type { Query, SecureSettings, Settings } from './types.ts';

export const plugin = new DataSourcePlugin<DataSource, Query, Settings, SecureSettings>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
