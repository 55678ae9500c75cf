import { createServer } from 'node:net';
import { StackError } from './stack-error.ts';

const host = '127.0.0.1';
const triedPorts = 100;

/** What was handed out in this process: the part that asked for it may not listen yet. */
const taken = new Set<number>();

/** The preferred port, or the next free one on 127.0.0.1. Throws `StackError` when the next hundred are in use. */
export async function choosePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + triedPorts; port += 1) {
    if (taken.has(port)) continue;
    // Taken before it is looked at, so that two who ask at once get two ports.
    taken.add(port);
    if (await isFree(port)) return port;
    taken.delete(port);
  }
  throw new StackError(`The ports ${preferred} to ${preferred + triedPorts - 1} are all in use.`, 'Stop what uses them.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
