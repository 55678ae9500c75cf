import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClaimedCommand } from '../../ports/command-queue.ts';
import { ReleaseOutdated, SchemaUnfit } from '../../ports/errors.ts';
import { needs } from '../../testing/needs.ts';
import { startTestTemporal, startTestWorkers } from '../../testing/temporal.ts';
import { createActivities } from './activities.ts';
import { createTemporalDispatcher } from './dispatcher.ts';

const log = pino({ level: 'silent' });
const temporal = await startTestTemporal();
const never = () => Promise.reject(new Error('Only commands run here.'));

describe('a command', needs(temporal, 'there is no Temporal'), () => {
  let workers: Awaited<ReturnType<typeof startTestWorkers>>;
  let fault: Error | undefined;
  let attempts = 0;
  const deadLetters: unknown[] = [];

  beforeAll(async () => {
    const activities = createActivities({
      async handleCommand() {
        attempts += 1;
        if (fault !== undefined) throw fault;
        return 'succeeded';
      },
      store: { fail: async (...letter: unknown[]) => void deadLetters.push(letter) } as never,
      advanceProcess: never,
      makeCall: { attempt: never, giveUp: never },
      processStore: { load: never, advance: never, loadCall: never, answerCall: never, cancel: never, fail: never },
      schedules: { submit: never },
      log,
    });
    workers = await startTestWorkers(temporal!, { activities, log });
  });
  afterAll(async () => {
    await workers.stop();
    await temporal!.stop();
  });

  it.each([
    ['that only a newer release can read', new ReleaseOutdated('BudgetPainted of schema version 1 is newer than this release.')],
    ['for which the schema is older or newer than the release', new SchemaUnfit('There is no function load_command.')],
  ])('%s waits by timers of its workflow, not by the retries of an activity', async (_, waitedFor) => {
    [fault, attempts] = [waitedFor, 0];
    const [tenantId, commandId] = [randomUUID(), randomUUID()];
    const command: ClaimedCommand = {
      tenantId, commandId, type: 'ChangeBudgetLimit', correlationId: commandId, traceparent: null, fencingToken: '0', execution: 'temporal', isolation: 'shared', fairnessWeight: 1, attempts: 1, waitedSeconds: 0,
    };
    await Promise.all(createTemporalDispatcher({ client: workers.client, sharedQueues: 1, eager: true }).dispatchAll([command]));
    const handle = workers.client.workflow.getHandle(`${tenantId}/command/${commandId}`);
    const timers = async () => (await handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes).length ?? 0;
    await expect.poll(timers, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(attempts).toBeLessThanOrEqual((await timers()) + 1);
    fault = undefined;
    expect(await handle.result()).toBe('succeeded');
    expect(deadLetters).toEqual([]);
  });
});
