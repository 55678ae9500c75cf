import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection that is open now; new ones are taken. */
  cut(): void;
  /** Nothing passes any more on the connections that are open now, and neither side is told; new ones are taken. */
  deafen(): void;
  /**
   * From now on. `open`, as it begins: everything passes, also what a `frozen` or `slow` one has held back; and an answer that was to
   * be lost and has not come is not lost any more.
   */
  become(condition: ProxyCondition): void;
  /** The server's next answer arrives nowhere. Resolves when it has come this far: what it answers to has been done. */
  loseNextAnswer(how: LostAnswer): Promise<void>;
  stop(): Promise<void>;
}

/** `closed`: no connection stands or comes up. `frozen`: nothing passes. `slow`: each piece takes `slowMs` longer. */
export type ProxyCondition = 'open' | 'closed' | 'frozen' | 'slow';

/** `cut`: the connection breaks. `stall`: it stays open, and nothing comes any more in either direction. */
export type LostAnswer = 'cut' | 'stall';

interface Loss {
  readonly how: LostAnswer;
  readonly happened: () => void;
}

const slowMs = 150;

/** A TCP proxy on 127.0.0.1, to break the connection between two real parts at a moment that the test chooses. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const deaf = new WeakSet<Socket>();
  /** A piece of theirs is on its way, and the next one must not overtake it. */
  const slowed = new WeakSet<Socket>();
  let condition: ProxyCondition = 'open';
  let loss: Loss | undefined;

  function join(client: Socket): void {
    if (condition === 'closed') return void client.destroy();
    const server = connect(target);
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    pass(client, (data) => server.write(data));
    pass(server, (answer) => {
      if (loss === undefined) {
        client.write(answer);
        return;
      }
      const { how, happened } = loss;
      loss = undefined;
      if (how === 'cut') client.destroy();
      else for (const socket of [client, server]) mute(socket);
      happened();
    });
    if (condition === 'frozen') for (const socket of [client, server]) socket.pause();
  }

  function pass(from: Socket, write: (data: Buffer) => void): void {
    from.on('data', (data: Buffer) => {
      if (condition !== 'slow') return write(data);
      // One piece after the other: the time is part of the line, and the order stays.
      from.pause();
      slowed.add(from);
      setTimeout(() => {
        slowed.delete(from);
        if (!from.destroyed && !deaf.has(from)) write(data);
        if (condition !== 'frozen' && !deaf.has(from)) from.resume();
      }, slowMs);
    });
  }

  function mute(socket: Socket): void {
    deaf.add(socket);
    socket.removeAllListeners('data').pause();
  }

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const listener = createServer({ noDelay: true }, join).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    cut,
    deafen: () => sockets.forEach(mute),
    become(next) {
      condition = next;
      if (next === 'open') loss = undefined;
      if (condition === 'closed') return cut();
      for (const socket of sockets) {
        if (condition === 'frozen') socket.pause();
        else if (!deaf.has(socket) && !slowed.has(socket)) socket.resume();
      }
    },
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
