// The real binary, started for a test and stopped by it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Service {
  url: string;
  /** Writes rules or receivers anew. */
  write(file: 'rules.yaml' | 'receivers.yaml', text: string): void;
  stop(): Promise<void>;
}

/** startService runs `tidewatch serve` on a free port with an empty directory, and KPIs, rules and receivers of its own if any are given. */
export async function startService(kpis = '', rules = '', receivers = ''): Promise<Service> {
  const binary = process.env['TIDEWATCH_BIN'];
  if (!binary || !existsSync(binary)) {
    throw new Error(`TIDEWATCH_BIN=${binary ?? ''} is no file: run "make test-clients", which builds the binary`);
  }
  const data = mkdtempSync(join(tmpdir(), 'tidewatch-page-'));
  const config = join(data, 'config.yaml');
  writeFileSync(join(data, 'kpis.yaml'), kpis);
  writeFileSync(join(data, 'rules.yaml'), rules);
  writeFileSync(join(data, 'receivers.yaml'), receivers);
  const named = [kpis && 'kpis: [kpis.yaml]', rules && 'rules: [rules.yaml]', receivers && 'alertmanager: receivers.yaml'];
  writeFileSync(config, named.filter(Boolean).join('\n'));
  const child = spawn(binary, ['serve', '--config', config, '--listen', '127.0.0.1:0', '--data', join(data, 'data')]);
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  let said = '';
  const url = await new Promise<string>((found, missing) => {
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        said += `${line}\n`;
        const address = /listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (address) found(address.replace(/\/$/, ''));
      });
    }
    child.once('error', missing);
    void ended.then((code) => missing(new Error(`serve ended with ${code} before it was ready:\n${said}`)));
  });
  return {
    url,
    write(file, text) {
      writeFileSync(join(data, file), text);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended; // at once the second time
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** until polls what has no event to wait for, and says what it last saw when time is up. */
export async function until<T>(what: string, look: () => Promise<T>, good: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (good(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within 30 s, last seen ${JSON.stringify(seen)}`);
    await new Promise((next) => setTimeout(next, 100));
  }
}
