import { once } from 'node:events';
import { createServer as createHttpServer, request as startRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

/**
 * A proxy for HTTP (and, by CONNECT, for anything else) on a socket in the file system, which is the same in every network namespace: the
 * build's way out of one that has no route.
 */
export async function startForwardProxy(path: string): Promise<void> {
  const server = createHttpServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '' } = incoming;
    if (!URL.canParse(url)) {
      outgoing.writeHead(400).end();
      return;
    }
    const forwarded = startRequest(url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.on('connect', ({ url = '' }, client, head: Buffer) => {
    const [, host, port] = /^(.*):(\d+)$/.exec(url) ?? [];
    const upstream = connect(Number(port), host);
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      join(client as Socket, upstream);
    });
    endTogether(client as Socket, upstream);
  });
  server.listen(path);
  await once(server, 'listening');
}

/** The same proxy at a TCP port of this network namespace. Answers its address. */
export async function bringProxyInside(path: string): Promise<string> {
  const port = 3128;
  const server = createServer((client) => {
    const upstream = connect(path);
    join(client, upstream);
    endTogether(client, upstream);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${port}`;
}

function join(one: Socket, other: Socket): void {
  one.pipe(other);
  other.pipe(one);
}

function endTogether(one: Socket, other: Socket): void {
  for (const [socket, peer] of [[one, other], [other, one]] as const) {
    socket.on('error', () => peer.destroy());
    socket.on('close', () => peer.destroy());
  }
}
