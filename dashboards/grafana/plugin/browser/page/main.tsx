// The built plugin in what Grafana gives to one: its libraries, its loader, its variables. What is edited is in window.page.
import * as emotion from '@emotion/css';
import type { DataSourceInstanceSettings, DataSourcePlugin, TimeRange } from '@grafana/data';
import * as data from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import * as runtime from '@grafana/runtime';
import {
  CustomVariable,
  EmbeddedScene,
  QueryVariable,
  SceneFlexLayout,
  sceneGraph,
  SceneVariableSet,
} from '@grafana/scenes';
import * as ui from '@grafana/ui';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import * as rxjs from 'rxjs';
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';
import type { DataSource } from '../../src/datasource.ts';
import type { Query, SecureSettings, Settings } from '../../src/types.ts';

declare const System: { set(name: string, module: object): void; import(url: string): Promise<object> };

export interface Page {
  /** What is stored, as the editor last left it. */
  stored: unknown;
  /** How often the editor had it asked. */
  ran: number;
  datasource: DataSource;
  /** chooses makes a variable of the dashboard be these values. */
  chooses(name: string, values: string[]): Promise<void>;
  /** asks sends a query as a panel does, for the last hour or for the one before. */
  asks(query: Query, past: boolean): Promise<void>;
  /** How channels are followed, oldest first, and for how many rows there is room. */
  followed: { path: string; action: string | undefined; rows: number | undefined }[];
  /** optionsOf are what a variable can be. */
  optionsOf(name: string): { label: string; value: unknown }[];
}

declare global {
  interface Window {
    page: Page;
  }
}

const search = new URLSearchParams(location.search);
const told = (name: string) => JSON.parse(search.get(name) ?? 'null') as unknown;
const lang = search.get('lang') ?? 'en';
const theme = data.createTheme({ colors: { mode: search.get('theme') === 'dark' ? 'dark' : 'light' } });
// Not by convertRawToRange, which reads the clock for each end.
const now = data.dateTime();
const range: TimeRange = {
  from: data.dateTime(now).subtract(1, 'hour'),
  to: now,
  raw: { from: 'now-1h', to: 'now' },
};

runtime.setBackendSrv({
  fetch: (options: runtime.BackendSrvRequest) => rxjs.from(send(options)),
} as runtime.BackendSrv);

async function send({ url, method, params, data: body }: runtime.BackendSrvRequest) {
  const address = new URL(url, location.href);
  for (const [name, value] of Object.entries(params ?? {})) address.searchParams.set(name, String(value));
  const response = await fetch(address, { method: method ?? 'GET', ...(body ? { body: JSON.stringify(body) } : {}) });
  const answer: unknown = await response.json();
  const { status, statusText, ok } = response;
  if (!ok) throw { status, statusText, data: answer };
  return { data: answer, status, statusText, ok };
}

await initPluginTranslations('grafana-scenes');

const modules = {
  '@emotion/css': emotion,
  '@grafana/data': data,
  '@grafana/runtime': runtime,
  '@grafana/ui': ui,
  react: React,
  rxjs,
};
for (const [name, module] of Object.entries(modules)) System.set(`app:${name}`, module);
const map = document.createElement('script');
map.type = 'systemjs-importmap';
map.text = JSON.stringify({ imports: Object.fromEntries(Object.keys(modules).map((name) => [name, `app:${name}`])) });
document.head.append(map);

const { plugin } = (await System.import('/module.js')) as {
  plugin: DataSourcePlugin<DataSource, Query, Settings, SecureSettings>;
};

const ref = { uid: 'tidewatch', type: 'tidewatch-kpi-datasource' };
const settings = {
  ...ref,
  id: 1,
  name: 'Tidewatch',
  jsonData: {},
  meta: { id: ref.type },
} as DataSourceInstanceSettings<Settings>;

const channel = new QueryVariable({
  name: 'channel',
  datasource: ref,
  query: { refId: 'channel', kind: 'values', kpi: 'plays', field: 'channel' },
  isMulti: true,
  includeAll: true,
  value: '$__all',
  text: 'All',
});
const kpi = new QueryVariable({ name: 'kpi', datasource: ref, query: { refId: 'kpi', kind: 'kpis' }, value: 'plays' });
const span = new CustomVariable({ name: 'span', query: '5m,1h,9m', value: '5m', text: '5m' });
const variables = { channel, kpi, span };
// Its types do not tell what is absent from what is undefined, as ours do.
const scene = new EmbeddedScene({
  $variables: new SceneVariableSet({ variables: Object.values(variables) as never }),
  body: new SceneFlexLayout({ children: [] }),
} as never);
runtime.setTemplateSrv({
  replace: (text, scoped, format) => sceneGraph.interpolate(scene as never, text, scoped, format as string),
  getVariables: () => Object.values(variables).map(({ state }) => state) as never,
  containsTemplate: () => false,
  updateTimeRange: () => undefined,
});

const Source = plugin.DataSourceClass as unknown as new (settings: DataSourceInstanceSettings<Settings>) => DataSource;
const datasource = new Source(settings);
Object.assign(datasource, { meta: settings.meta });
runtime.setDataSourceSrv({ get: async () => datasource, getInstanceSettings: () => settings } as never);
runtime.setRunRequest((_, request, query) =>
  rxjs
    .from(query!(request))
    .pipe(rxjs.map((found) => ({ state: data.LoadingState.Done, series: found.data, timeRange: request.range }))),
);

const page: Page = {
  stored: told('stored'),
  ran: 0,
  followed: [],
  datasource,
  async chooses(name, values) {
    variables[name as 'channel'].changeValueTo(values);
  },
  async asks(query, past) {
    const raw = past ? { from: 'now-2h', to: 'now-1h' } : { from: 'now-1h', to: 'now' };
    const range = data.rangeUtil.convertRawToRange(raw);
    const request = { targets: [query], range, rangeRaw: raw, scopedVars: {}, intervalMs: 1_000, maxDataPoints: 100 };
    await rxjs.lastValueFrom(datasource.query(request as never));
  },
  optionsOf: (name) => variables[name as 'channel'].state.options.map(({ label, value }) => ({ label, value })),
};
window.page = page;

runtime.setGrafanaLiveSrv({
  getDataStream: ({ addr, buffer }: runtime.LiveDataStreamOptions) => {
    page.followed.push({ path: addr.path, action: buffer?.action, rows: buffer?.maxLength });
    return rxjs.of({ data: [] });
  },
} as never);

/** An Editor holds what is edited, as Grafana does. */
function Edited() {
  const [stored, setStored] = React.useState(page.stored);
  const onChange = (changed: unknown) => {
    page.stored = changed;
    setStored(changed);
  };
  const onRunQuery = () => {
    page.ran++;
  };
  const editors = {
    query: plugin.components.QueryEditor,
    annotation: datasource.annotations.QueryEditor,
    variable: (datasource.variables as { editor?: unknown }).editor,
    config: plugin.components.ConfigEditor,
  } as unknown as Record<string, React.ComponentType<Record<string, unknown>>>;
  const kind = search.get('editor') ?? 'query';
  const Editor = editors[kind]!;
  if (kind === 'config') return <Editor options={stored} onOptionsChange={onChange} />;
  return (
    <Editor {...{ datasource, query: stored, range, app: search.get('app') ?? undefined, onChange, onRunQuery }} />
  );
}

scene.activate();
document.documentElement.lang = lang;
createRoot(document.getElementById('root')!).render(
  <data.ThemeContext.Provider value={theme}>
    <ui.GlobalStyles />
    <main style={{ padding: 12, background: theme.colors.background!.primary }}>
      <Edited />
    </main>
    <ui.PortalContainer />
  </data.ThemeContext.Provider>,
);
