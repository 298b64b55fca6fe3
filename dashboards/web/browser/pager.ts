// A webhook's other end.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a webhook is told, as far as the tests read it. */
export interface Message {
  status: string;
  alerts: { status: string; labels: Record<string, string>; generatorURL: string }[];
}

export interface Pager {
  url: string;
  /** What it was told so far. */
  messages: Message[];
  /** What it answers from now on. */
  answer(status: number, words?: string): void;
  stop(): Promise<void>;
}

export async function startPager(): Promise<Pager> {
  const messages: Message[] = [];
  let [code, said] = [200, ''];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      if (code === 200) messages.push(JSON.parse(body) as Message);
      response.writeHead(code).end(said);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    messages,
    answer(status, words = '') {
      [code, said] = [status, words];
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
