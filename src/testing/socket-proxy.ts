import { once } from 'node:events';
import { createServer, request as startRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** One client's socket, and what passes between it and the gateway. */
export interface ProxiedSocket {
  toClient(data: Buffer | string, isBinary?: boolean): void;
  /** Ends both sides. */
  cut(): void;
}

export interface SocketProxyOptions {
  /** The gateway's URL. */
  readonly target: string;
  /** What goes on to the gateway in place of this; null: nothing. */
  onClientFrame(text: string, socket: ProxiedSocket): Promise<string | null>;
  /** Passes on what is to be passed on. */
  onServerFrame(data: Buffer, isBinary: boolean, socket: ProxiedSocket): void;
  onRequest?(method: string, path: string): void;
}

export interface SocketProxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** In front of a gateway: HTTP passes, and with what comes by WebSocket the caller does as it likes. */
export async function startSocketProxy({ target, onClientFrame, onServerFrame, onRequest }: SocketProxyOptions): Promise<SocketProxy> {
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    const { method, headers } = request;
    onRequest?.(method!, request.url!);
    const forwarded = startRequest(new URL(request.url!, target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, (client) => connect(client, request.url!)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function connect(client: WebSocket, path: string): void {
    const upstream = new WebSocket(new URL(path, target.replace('http', 'ws')));
    const open = once(upstream, 'open');
    const cut = () => {
      client.terminate();
      upstream.terminate();
    };
    const socket: ProxiedSocket = {
      toClient: (data, isBinary = false) => client.readyState === WebSocket.OPEN && client.send(data, { binary: isBinary }),
      cut,
    };
    open.catch(cut);
    for (const each of [client, upstream]) each.on('close', cut).on('error', cut);
    // One after the other, as they came: what is slow is the caller.
    let sending: Promise<unknown> = open;
    client.on('message', (data: Buffer) => {
      sending = sending.then(async () => {
        const text = await onClientFrame(data.toString(), socket);
        if (text !== null && upstream.readyState === WebSocket.OPEN) upstream.send(text);
      }, () => {});
    });
    upstream.on('message', (data: Buffer, isBinary) => onServerFrame(data, isBinary, socket));
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const client of sockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
