import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { choosePort } from './ports.ts';

it('takes the next free port where the preferred one is in use', async () => {
  const busy = await choosePort(56201);
  const server = createServer().listen(busy, '127.0.0.1');
  await once(server, 'listening');
  expect(await choosePort(busy)).toBeGreaterThan(busy);
  server.close();
});

it('never gives one port to two who ask at once', async () => {
  const ports = await Promise.all(Array.from({ length: 5 }, () => choosePort(56221)));
  expect(new Set(ports).size).toBe(5);
});
