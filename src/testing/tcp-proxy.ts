import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection that is open now; new ones are taken. */
  cut(): void;
  /** The server's next answer arrives nowhere. Resolves when it has come this far: what it answers to has been done. */
  loseNextAnswer(how: LostAnswer): Promise<void>;
  stop(): Promise<void>;
}

/** `cut`: the connection breaks. `stall`: it stays open, and nothing comes any more in either direction. */
export type LostAnswer = 'cut' | 'stall';

interface Loss {
  readonly how: LostAnswer;
  readonly happened: () => void;
}

/** A TCP proxy on 127.0.0.1, to break the connection between two real parts at a moment that the test chooses. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let loss: Loss | undefined;

  function join(client: Socket): void {
    const server = connect(target);
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => server.write(data));
    server.on('data', (answer) => {
      if (loss === undefined) {
        client.write(answer);
        return;
      }
      const { how, happened } = loss;
      loss = undefined;
      if (how === 'cut') client.destroy();
      else for (const socket of [client, server]) socket.removeAllListeners('data').pause();
      happened();
    });
  }

  const listener = createServer({ noDelay: true }, join).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    cut,
    loseNextAnswer: (how) =>
      new Promise((happened) => {
        loss = { how, happened };
      }),
    async stop() {
      listener.close();
      cut();
      await once(listener, 'close');
    },
  };
}

/** The same URL, by way of the proxy. */
export function throughProxy(url: string, { port }: TcpProxy): string {
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(port);
  return proxied.href;
}
