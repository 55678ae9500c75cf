import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { pagePorts } from '../../src/local/allowed-origins.ts';
import type { PageSettings } from './page/settings.ts';

const folder = join(import.meta.dirname, 'page');

export interface PageServer {
  /** Nobody can guess its path: the settings behind it hold passwords. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Bundles the page for browsers and serves it, with these settings, on 127.0.0.1. */
export async function startPageServer(settings: PageSettings): Promise<PageServer> {
  const base = `/${randomUUID()}/`;
  const file = (name: string) => readFile(join(folder, name), 'utf8');
  const contents = new Map([
    [base, { type: 'text/html', text: await file('index.html') }],
    [`${base}page.css`, { type: 'text/css', text: await file('page.css') }],
    [`${base}main.js`, { type: 'text/javascript', text: await bundle() }],
    [`${base}settings.json`, { type: 'application/json', text: JSON.stringify(settings) }],
  ]);
  const headers = { 'cache-control': 'no-store', 'content-security-policy': contentSecurityPolicy(settings), 'referrer-policy': 'no-referrer' };

  const server = createServer((request, response) => {
    const content = contents.get(new URL(request.url ?? '', 'http://page').pathname);
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { ...headers, 'content-type': `${content.type}; charset=utf-8` }).end(content.text);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}${base}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function bundle(): Promise<string> {
  const building = await rolldown({ cwd: folder, input: 'main.ts', platform: 'browser' });
  const { output } = await building.generate({ format: 'esm' });
  await building.close();
  return output[0].code;
}

/** The page loads nothing from elsewhere, and calls only the API. */
function contentSecurityPolicy({ apiUrl }: PageSettings): string {
  return `default-src 'self'; img-src data:; connect-src 'self' ${apiUrl} ${apiUrl.replace(/^http/, 'ws')}`;
}

/** On the first free one of the ports whose pages may call the API. */
async function listen(server: Server): Promise<number> {
  for (const port of pagePorts) {
    server.listen(port, '127.0.0.1');
    const isListening = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isListening) return port;
  }
  throw new Error(`The ports ${pagePorts.join(', ')} are all in use. The API takes calls of pages on these alone.`);
}
