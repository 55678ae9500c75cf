import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { needs } from '../../testing/needs.ts';
import { connect } from '../../testing/tenant.ts';
import { connectToTestTemporal, startTestTemporal } from '../../testing/temporal.ts';
import type { TemporalConnection } from './connection.ts';

const temporal = await startTestTemporal();

// What a person is shown is computed in SQL; when a command is sent, by Temporal.
describe('the occasions that are shown', needs(temporal, 'there is no Temporal'), () => {
  let db: ReturnType<typeof connect>;
  let connected: TemporalConnection;
  beforeAll(async () => {
    db = connect(await createTestDatabase());
    connected = await connectToTestTemporal(temporal!, pino({ level: 'silent' }));
  });
  afterAll(async () => {
    await connected.connection.close();
    await temporal!.stop();
    await db.end();
  });

  it.each([
    ['0 6 1 * *', 'Europe/Berlin'], ['30 2 26-30 3 *', 'Europe/Berlin'], ['30 2 25-31 10 SUN', 'Europe/Berlin'],
    ['15 1-3 8-14 3 *', 'America/New_York'], ['30 1 1-7 11 0', 'America/New_York'], ['0 0 29 2 *', 'UTC'],
    ['*/20 9-17/4 * * MON-FRI', 'Asia/Kolkata'], ['5/25 22 13 JAN,JUN FRI', 'UTC'], ['0 0 31 * 7', 'Australia/Sydney'], ['0,7,50 0 * 12 1-3', 'UTC'],
  ])('of "%s" in %s are those of Temporal', async (cron, timeZone) => {
    const schedule = await connected.client.schedule.create({
      scheduleId: randomUUID(),
      spec: { cronExpressions: [cron], timezone: timeZone },
      action: { type: 'startWorkflow', workflowType: 'never', taskQueue: 'nobody' },
    });
    const { nextActionTimes } = (await schedule.describe()).info;
    await schedule.delete();
    // A time that the clock shows twice is one occasion.
    const wallTime = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' });
    const occasions = nextActionTimes.filter((time, n) => n === 0 || wallTime.format(time) !== wallTime.format(nextActionTimes[n - 1]));
    const { rows } = await db.admin.query<{ shown: { nextOccasions: string[] } }>('select intent.describe_occasions($1, $2, now()) as shown', [cron, timeZone]);
    const shown = rows[0]!.shown.nextOccasions.map((text) => new Date(text));
    expect(shown).toEqual(occasions.slice(0, 5));
    expect(shown).toHaveLength(5);
  });
});
