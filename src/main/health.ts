import { once } from 'node:events';
import { createServer } from 'node:http';
import type { MetricsPage } from './metrics-page.ts';
import type { Readiness } from './readiness.ts';

export interface HealthServer {
  readonly port: number;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

/**
 * `/healthz`: the process lives. `/readyz`: it does its work; 503 and what it lacks while it starts, waits for a server, or shuts
 * down. If it can do a part only, it is ready and says what waits. `/metrics`: for Prometheus.
 */
export async function startHealthServer(port: number, readiness: Readiness, page: MetricsPage): Promise<HealthServer> {
  async function answer(path: string | undefined): Promise<Answer> {
    switch (path) {
      case '/healthz':
        return json(200, { status: 'ok' });
      case '/metrics':
        return { status: 200, body: await page.render(), contentType: page.contentType };
      case '/readyz': {
        const { lacks, waiting } = await readiness.check();
        const alsoWaiting = waiting.length === 0 ? {} : { waiting };
        return lacks.length > 0 ? json(503, { status: 'not ready', lacks, ...alsoWaiting }) : json(200, { status: 'ok', ...alsoWaiting });
      }
      default:
        return json(404, { status: 'unknown' });
    }
  }

  const server = createServer((request, response) => {
    void answer(request.url).then(({ status, body, contentType }) => {
      response.writeHead(status, { 'content-type': contentType });
      response.end(body);
    });
  });
  server.listen(port);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function json(status: number, body: object): Answer {
  return { status, body: JSON.stringify(body), contentType: 'application/json' };
}
