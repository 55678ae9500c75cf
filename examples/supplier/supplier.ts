// The supplier of the example: a service of somebody else, over HTTP. It takes orders, once by their idempotency key, which is one of
// a customer's (`intent-tenant`). What it does with one is chosen by the text of an item:
//   [refuse]  refuses                              [stall]  answers after 20 s
//   [flaky]   fails twice, and then accepts        [twice]  accepts, and hangs up: it is asked again for what it has accepted
//   [nonsense] answers with what is no answer
// `GET /orders` shows its book.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SupplierOptions {
  /** 0: any free one. */
  readonly port: number;
  /** How long it thinks about a `[stall]`. (Default: 20,000) */
  readonly stallMs?: number;
}

export interface RunningSupplier {
  readonly url: string;
  stop(): Promise<void>;
}

interface Order {
  readonly orderId: string;
  readonly lines: readonly { readonly item: string }[];
}

interface Entry {
  readonly orderId: string;
  /** The supplier's own number for it. */
  readonly reference: string;
  /** How often it was asked for. */
  requests: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export async function startSupplier({ port, stallMs = 20_000 }: SupplierOptions): Promise<RunningSupplier> {
  const book = new Map<string, Entry>();
  const failures = new Map<string, number>();
  const stopping = new AbortController();

  /** `undefined`: it hangs up. */
  async function take(key: string, { orderId, lines }: Order): Promise<Answer | undefined> {
    const wants = (word: string) => lines.some(({ item }) => item.includes(`[${word}]`));
    const known = book.get(key);
    if (known !== undefined) {
      known.requests += 1;
      return { status: 200, body: { reference: known.reference } };
    }
    if (wants('stall')) await sleep(stallMs, undefined, { signal: stopping.signal });
    if (wants('refuse')) return { status: 422, body: { code: 'REFUSED', message: 'We do not deliver this.' } };
    if (wants('nonsense')) return { status: 200, body: '<html>It works!</html>' };
    if (wants('flaky') && countFailure(key) <= 2) return { status: 503, body: { code: 'OVERLOADED', message: 'Try again.' } };
    const entry = { orderId, reference: `S-${randomUUID().slice(0, 8)}`, requests: 1 };
    book.set(key, entry);
    return wants('twice') ? undefined : { status: 201, body: { reference: entry.reference } };
  }

  function countFailure(key: string): number {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    return count;
  }

  async function answer(request: IncomingMessage): Promise<Answer | undefined> {
    if (request.method === 'GET' && request.url === '/healthz') return { status: 200, body: { status: 'ok' } };
    if (request.method === 'GET' && request.url === '/orders') return { status: 200, body: [...book.values()] };
    if (request.method !== 'POST' || request.url !== '/orders') return { status: 404, body: { code: 'NOT_FOUND', message: 'POST /orders' } };
    const key = request.headers['idempotency-key'];
    const order = parseOrder(await text(request));
    if (typeof key !== 'string' || order === undefined) {
      return { status: 400, body: { code: 'BAD_REQUEST', message: 'An order with lines, and an idempotency-key.' } };
    }
    return take(`${String(request.headers['intent-tenant'])}/${key}`, order);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answered = await answer(request);
    if (answered === undefined) return void request.socket.destroy();
    response.writeHead(answered.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answered.body));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      stopping.abort();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function parseOrder(body: string): Order | undefined {
  try {
    const order = JSON.parse(body) as Partial<Order>;
    const isOrder = typeof order.orderId === 'string' && Array.isArray(order.lines) && order.lines.every(({ item }) => typeof item === 'string');
    return isOrder ? (order as Order) : undefined;
  } catch {
    return undefined;
  }
}
