import type { RequestListener } from 'node:http';

/** What the gateway takes from one client, and how long it waits for it. */
export interface HttpLimits {
  /** WebSockets among them, of which there are fewer (see realtime/limits.ts). */
  readonly maxConnections: number;
  /** With the first line. */
  readonly maxHeaderBytes: number;
  /** The address: path and query. */
  readonly maxTargetBytes: number;
  readonly maxHeaders: number;
  /** From the connection, or the end of the request before, to the end of the headers. */
  readonly headersTimeoutMs: number;
  /** To the end of the body. */
  readonly requestTimeoutMs: number;
  /** How often connections are looked at for these two. */
  readonly timeoutCheckMs: number;
}

export const httpLimits: HttpLimits = {
  maxConnections: 1_000,
  maxHeaderBytes: 16 * 1024,
  maxTargetBytes: 8 * 1024,
  maxHeaders: 64,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  timeoutCheckMs: 1_000,
};

/** Node drops the headers over its limit without a word, and what is passed on is then not what was sent. So it is refused. */
export function refuseManyHeaders({ maxHeaders }: HttpLimits, listener: RequestListener): RequestListener {
  return (request, response) => {
    if (request.rawHeaders.length / 2 <= maxHeaders) return listener(request, response);
    const body = JSON.stringify({ message: `There are more than ${maxHeaders} headers` });
    response.writeHead(431, { 'Content-Type': 'application/json', Connection: 'close' }).end(body);
  };
}
