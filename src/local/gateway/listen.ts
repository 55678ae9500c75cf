import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StackError } from '../stack-error.ts';
import type { HttpLimits } from './http-limits.ts';

const host = '127.0.0.1';
const graceMs = 2_000;

export interface Listening {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
  /** Lets requests finish for two seconds, then cuts them off. */
  close(): Promise<void>;
}

/** An HTTP server on loopback, which answers nothing yet. Port 0: any free one. */
export async function listen(port: number, limits: HttpLimits): Promise<Listening> {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
  });
  server.maxConnections = limits.maxConnections;
  // One more than is taken, so that one too many shows.
  server.maxHeadersCount = limits.maxHeaders + 1;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new StackError(
      `The gateway cannot listen on ${host}:${port}: ${(error as Error).message}`,
      'Stop what uses this port, or choose another one.',
      { cause: error },
    );
  }
  const address = server.address() as AddressInfo;

  return {
    server,
    port: address.port,
    url: `http://${host}:${address.port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const impatience = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(impatience);
    },
  };
}
