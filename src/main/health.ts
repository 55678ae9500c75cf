import { once } from 'node:events';
import { createServer } from 'node:http';

export interface HealthServer {
  readonly port: number;
  close(): void;
}

export interface Readiness {
  readonly isReady: boolean;
  /** What this process has no means for, each with the reason: it waits for another process or setting, and nothing is lost. */
  readonly waiting: readonly string[];
}

/**
 * `/healthz`: the process lives. `/readyz`: it does its work; 503 while it starts, waits for a server, or shuts down. Where it can
 * do a part only, it is ready and says what waits.
 */
export async function startHealthServer(port: number, readiness: () => Readiness): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url, readiness());
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
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

function answer(path: string | undefined, { isReady, waiting }: Readiness) {
  if (path === '/healthz') return { status: 200, body: { status: 'ok' } };
  if (path !== '/readyz') return { status: 404, body: { status: 'unknown' } };
  if (!isReady) return { status: 503, body: { status: 'not ready' } };
  return { status: 200, body: waiting.length === 0 ? { status: 'ok' } : { status: 'ok', waiting } };
}
