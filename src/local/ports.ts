import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { StackError } from './stack-error.ts';

const host = '127.0.0.1';
const triedPorts = 100;

/**
 * The preferred port, or the next free one on 127.0.0.1; until this process ends no other process gets it here. Throws `StackError`
 * when the next hundred are in use.
 */
export async function choosePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + triedPorts; port += 1) {
    // Reserved before it is looked at, so that two who ask at once get two ports.
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
  throw new StackError(`The ports ${preferred} to ${preferred + triedPorts - 1} are all in use.`, 'Stop what uses them.');
}

/**
 * What was chosen is bound later, by a part that is still to be started. Until then the UDP port of the same number stands for it:
 * the system gives it to one process only, and takes it back when that ends, however it ends.
 */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
}

/** Whether nobody listens there. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
