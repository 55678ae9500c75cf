import { expect, it } from 'vitest';
import { createTestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { startTcpProxy } from '../testing/tcp-proxy.ts';
import { startTestTemporal } from '../testing/temporal.ts';

const temporal = await startTestTemporal();
const goalMs = 15_000;

it('worker and pump wait for a Temporal that is away, and end within 15 s where only their connection has gone deaf', { ...needs(temporal, 'there is no Temporal'), timeout: 60_000 }, async () => {
  const database = await createTestDatabase();
  const [host, port] = temporal!.address.split(':') as [string, string];
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const env = { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`, INTENT_TASK_QUEUES: '1' };
  const processes = await Promise.all([startMainProcess('worker', database, env), startMainProcess('command-pump', database, env)]);
  const statuses = () => Promise.all(processes.map(async ({ get }) => (await get('/readyz'))?.status));
  await Promise.all(processes.map(({ ready }) => ready()));

  proxy.become('closed');
  await expect.poll(statuses, { timeout: 10_000 }).toEqual([503, 503]);
  proxy.become('open');
  await expect.poll(statuses, { timeout: 10_000 }).toEqual([200, 200]);

  proxy.deafen();
  const deafSince = performance.now();
  expect(await Promise.all(processes.map(({ exited }) => exited))).toEqual([1, 1]);
  expect(performance.now() - deafSince).toBeLessThan(goalMs);
  for (const { lines } of processes) {
    expect(lines.find(({ level }) => level === 60)).toMatchObject({ err: { message: expect.stringContaining('The connection to Temporal has gone deaf') } });
  }
  await proxy.stop();
  await temporal!.stop();
});
