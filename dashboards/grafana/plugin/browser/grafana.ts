// What the editors ask of Grafana, answered as the plugin's backend does: by a real service.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import type { Query } from '../src/types.ts';
import type { Connect, Plugin } from 'vite';
import type { Served } from './serve.ts';
import { serve } from './serve.ts';

const here = import.meta.dirname;
const icons = '/public/build/img/icons/';
const resources = '/api/datasources/uid/tidewatch/resources/';

export interface Grafana extends Served {
  /** The queries that panels sent, oldest first. */
  sent: Query[];
  /** What the resource calls asked for. */
  asked: URL[];
}

/** startGrafana serves the editors on a free port, over the service at an address. */
export async function startGrafana(service: string): Promise<Grafana> {
  const sent: Query[] = [];
  const asked: URL[] = [];
  const served = await serve('page', {
    publicDir: resolve(here, '../dist'),
    plugins: [
      router,
      { name: 'grafana', configurePreviewServer: ({ middlewares }) => answer(middlewares, service, sent, asked) },
    ],
  });
  return { ...served, sent, asked };
}

/** router hands scenes the router that they are made for, as Grafana does; its components have an older one. */
const router: Plugin = {
  name: 'router',
  enforce: 'pre',
  resolveId(name, importer) {
    if (name !== 'react-router-dom' || !importer?.includes('@grafana/scenes')) return null;
    return this.resolve('react-router-dom-v5-compat', importer);
  },
};

function answer(middlewares: Connect.Server, service: string, sent: Query[], asked: URL[]): void {
  const reply = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const ask = async (path: string) => {
    const response = await fetch(`${service}${path}`);
    const body = (await response.json()) as { data?: unknown; error?: string };
    return { ...body, status: response.status };
  };
  middlewares.use((request, response, next) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const fail = (error: unknown) => reply(response, 502, { error: String(error) });
    if (url.pathname === '/api/ds/query') {
      void read(request).then((body) => {
        const { queries } = JSON.parse(body) as { queries: Query[] };
        sent.push(...queries);
        reply(response, 200, { results: Object.fromEntries(queries.filter(({ live }) => live).map(followed)) });
      }, fail);
    } else if (url.pathname === `${resources}kpis`) {
      ask('/api/v1/kpis').then(({ status, data, error }) => reply(response, status, data ?? { error }), fail);
    } else if (url.pathname === `${resources}values`) {
      asked.push(url);
      const of = (name: string) => url.searchParams.get(name) ?? '';
      const match = `kpi_${of('kpi')}{by="${of('field')}"${of('window') && `,window="${of('window')}"`}}`;
      const query = new URLSearchParams({ 'match[]': match });
      ask(`/prometheus/api/v1/label/${of('field')}/values?${query}`).then(
        ({ status, data, error }) => reply(response, status, data ? { values: data } : { error }),
        fail,
      );
    } else if (url.pathname.startsWith(icons)) {
      readFile(
        resolve(here, '../node_modules/@grafana/ui/dist/public/img/icons', url.pathname.slice(icons.length)),
      ).then((drawing) => response.setHeader('Content-Type', 'image/svg+xml').end(drawing), fail);
    } else next();
  });
}

/** followed is a result that goes on in a channel. */
const followed = ({ refId }: Query) => [
  refId,
  { frames: [{ schema: { refId, meta: { channel: 'ds/tidewatch/kpi/x' }, fields: [] }, data: { values: [] } }] },
];

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
