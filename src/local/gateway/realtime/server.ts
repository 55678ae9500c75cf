import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { examineRequest } from '../examine-request.ts';
import { isVersion } from './frames.ts';
import type { Version } from './frames.ts';
import { maxFrameBytes, maxSockets, silenceMs } from './limits.ts';
import { serveSocket } from './socket.ts';
import type { SocketDeps } from './socket.ts';

const websocketPath = '/realtime/v1/websocket';

export interface RealtimeServerOptions extends SocketDeps {
  readonly publishableKey: string;
}

export interface RealtimeServer {
  /** Listener for the HTTP server's event `upgrade`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Says goodbye to every client; resolves when all are gone. */
  stop(): Promise<void>;
}

interface Refusal {
  readonly status: 400 | 401 | 404 | 414 | 429;
  readonly error: string;
}

export function createRealtimeServer({ publishableKey, ...deps }: RealtimeServerOptions): RealtimeServer {
  const server = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  const lastHeardAt = new Map<WebSocket, number>();
  const served = new Set<ReturnType<typeof serveSocket>>();

  const watch = setInterval(() => {
    const limit = Date.now() - silenceMs;
    for (const [socket, heardAt] of lastHeardAt) if (heardAt < limit) socket.terminate();
  }, silenceMs / 4).unref();

  /** The protocol version that the client asks for, or why it may not come in. */
  function examine(url: URL | null): Version | Refusal {
    if (url?.pathname !== websocketPath) return { status: 404, error: 'There is no websocket here' };
    if (url.searchParams.get('apikey') !== publishableKey) return { status: 401, error: 'Invalid API key' };
    if (server.clients.size >= maxSockets) return { status: 429, error: 'Too many connections' };
    const version = url.searchParams.get('vsn') ?? '1.0.0';
    return isVersion(version) ? version : { status: 400, error: 'Only vsn 1.0.0 and 2.0.0 are spoken here' };
  }

  function accept(client: WebSocket, version: Version): void {
    const connection = serveSocket(client, version, deps);
    const hear = () => lastHeardAt.set(client, Date.now());
    hear();
    served.add(connection);
    client.on('message', hear);
    client.on('close', () => {
      lastHeardAt.delete(client);
      served.delete(connection);
    });
  }

  return {
    upgrade(request, socket, head) {
      const unreadable = examineRequest(request);
      if (unreadable !== null) return refuse(socket, { status: unreadable.status, error: unreadable.message });
      const answer = examine(URL.parse(request.url ?? '', 'http://localhost'));
      if (typeof answer === 'object') return refuse(socket, answer);
      server.handleUpgrade(request, socket, head, (client) => accept(client, answer));
    },

    async stop() {
      clearInterval(watch);
      for (const connection of served) connection.stop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function refuse(socket: Duplex, { status, error }: Refusal): void {
  const body = JSON.stringify({ error });
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
