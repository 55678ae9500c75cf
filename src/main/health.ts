import { once } from 'node:events';
import { createServer } from 'node:http';

export interface HealthServer {
  readonly port: number;
  close(): void;
}

/** `/healthz`: the process lives. `/readyz`: it does its work; 503 while it starts, waits for a server, or shuts down. */
export async function startHealthServer(port: number, isReady: () => boolean): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answers: Record<string, boolean> = { '/healthz': true, '/readyz': isReady() };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : answer ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: answer === undefined ? 'unknown' : answer ? 'ok' : 'not ready' }));
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
