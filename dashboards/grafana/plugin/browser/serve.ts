// A page over Grafana's libraries, built and served on a free port.
import { resolve } from 'node:path';
import type { InlineConfig } from 'vite';
import { build, mergeConfig, preview } from 'vite';

const here = import.meta.dirname;

export interface Served {
  url: string;
  stop(): Promise<void>;
}

/** serve builds the page of a folder, and answers beside it what the page asks of Grafana. */
export async function serve(folder: string, given: InlineConfig): Promise<Served> {
  const config = mergeConfig<InlineConfig, InlineConfig>(
    {
      configFile: false,
      root: resolve(here, folder),
      publicDir: false,
      appType: 'mpa',
      logLevel: 'error',
      oxc: { jsx: { runtime: 'classic' } },
      build: {
        outDir: resolve(here, '../node_modules/.pages', folder),
        emptyOutDir: true,
        target: 'es2022',
        chunkSizeWarningLimit: 1e6,
      },
      preview: { host: '127.0.0.1', port: 0 },
    },
    given,
  );
  await build(config);
  const server = await preview(config);
  const address = server.httpServer.address();
  if (!address || typeof address === 'string') throw new Error(`the page of ${folder} is served nowhere`);
  return { url: `http://127.0.0.1:${address.port}/`, stop: () => server.close() };
}
