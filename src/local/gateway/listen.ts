import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StackError } from '../stack-error.ts';

const host = '127.0.0.1';
const maxHeaderBytes = 32 * 1024;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const graceMs = 2_000;

export interface Listening {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
  /** Lets requests finish for two seconds, then cuts them off. */
  close(): Promise<void>;
}

/** An HTTP server on loopback, which answers nothing yet. Port 0: any free one. */
export async function listen(port: number): Promise<Listening> {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
  });
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
