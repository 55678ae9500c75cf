import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JSONWebKeySet } from 'jose';

export interface SupabaseUpstream {
  readonly url: string;
  /** How often the signing keys were asked for. */
  keyRequests(): number;
  restRequests(): number;
  /** What the next requests meet; null cuts the connection. */
  serveKeys(jwks: JSONWebKeySet | null): void;
  serveRest(url: string | null): void;
  /** Calls back once, when the next request for the Data API has been answered or cut. */
  onNextRest(callback: () => void): void;
  stop(): Promise<void>;
}

/**
 * What the Edge Function calls under SUPABASE_URL: Auth's keys, which a test must be able to take away, and `/rest/v1`, passed
 * to a real PostgREST. Each answers once it has been given something to serve.
 */
export async function startSupabaseUpstream(): Promise<SupabaseUpstream> {
  let keys: JSONWebKeySet | null = null;
  let rest: string | null = null;
  let keyRequests = 0;
  let restRequests = 0;
  let afterNextRest = () => {};

  const server = createServer((request, response) => {
    if (request.url === '/auth/v1/.well-known/jwks.json') {
      keyRequests += 1;
      if (keys === null) request.socket.destroy();
      else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(keys));
    } else {
      restRequests += 1;
      if (rest === null) request.socket.destroy();
      else pass(request, response, new URL(request.url!.replace(/^\/rest\/v1/, ''), rest));
      response.once('close', afterNextRest);
      afterNextRest = () => {};
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keyRequests: () => keyRequests,
    restRequests: () => restRequests,
    serveKeys: (jwks) => {
      keys = jwks;
    },
    serveRest: (url) => {
      rest = url;
    },
    onNextRest: (callback) => {
      afterNextRest = callback;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function pass(request: IncomingMessage, response: ServerResponse, target: URL): void {
  const onward = forward(target, { method: request.method, headers: { ...request.headers, host: target.host } }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
