import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * A free port on 127.0.0.1, of the system's choice: it does not give the same one again for a while, so test files and test
 * runs at the same time do not meet.
 */
export async function chooseTestPort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
