import { EventEmitter, once } from 'node:events';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createScratchDirectory } from '../../../testing/scratch-directory.ts';
import { chooseTestPort } from '../../../testing/test-port.ts';
import { layStandIns } from '../../lay-stand-ins.ts';
import { startPostgres } from '../../postgres/start-postgres.ts';
import { followMessages } from './follow-messages.ts';
import type { Broadcast } from './hub.ts';

async function run(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await work(client);
  await client.end();
}

/** On a server of its own, because it stops it. */
test('PostgreSQL shuts down at once though it is followed, and is followed again when it is back', async () => {
  const scratch = await createScratchDirectory();
  const options = { directory: `${scratch.path}/postgres`, port: await chooseTestPort(), password: 'of-a-test', log: () => {} };
  const server = await startPostgres(options);
  await run(server.adminUrl(), layStandIns);
  const seen = new EventEmitter<{ recovered: []; broadcast: [Broadcast] }>();
  const follower = await followMessages({
    databaseUrl: server.adminUrl(),
    onBroadcast: (broadcast) => seen.emit('broadcast', broadcast),
    onRecovered: () => seen.emit('recovered'),
    log: () => {},
  });

  await server.stop();
  expect(await server.exited).toMatchObject({ code: 0, signal: null });
  expect(follower.isStreaming()).toBe(false);

  const recovered = once(seen, 'recovered');
  const again = await startPostgres(options);
  await recovered;
  const arrival = once(seen, 'broadcast');
  await run(again.adminUrl(), (client) => client.query(`select realtime.send('{"n": 1}', 'e', 'room')`));
  const [broadcast] = (await arrival) as [Broadcast];
  expect(broadcast).toMatchObject({ topic: 'room', event: 'e' });
  expect(JSON.parse(broadcast.payload)).toMatchObject({ n: 1 });

  await follower.stop();
  await again.stop();
  scratch.remove();
});
