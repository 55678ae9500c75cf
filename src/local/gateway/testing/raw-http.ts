import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test may say what no HTTP library would. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // A server that cuts the connection is an answer, too.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Everything that the server says until it closes the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Not by `once`, which takes an error for a failure of the wait.
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

/**
 * The status codes of all answers to what is sent; none if the server only cuts the connection. It is the server that ends
 * the connection: it must see that something is wrong, or have been asked to with `Connection: close`.
 */
export async function statusesOf(url: string, request: string): Promise<number[]> {
  const socket = await openConnection(url);
  const answer = readToEnd(socket);
  socket.write(Buffer.from(request, 'latin1'));
  return [...(await answer).matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}
