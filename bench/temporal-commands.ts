import { pino } from 'pino';
import { createLanes } from '../src/adapters/inline/lanes.ts';
import { createActivities } from '../src/adapters/temporal/activities.ts';
import type { TemporalConnection } from '../src/adapters/temporal/connection.ts';
import { createTemporalEngine } from '../src/adapters/temporal/engine.ts';
import { loadWorkflowBundle } from '../src/adapters/temporal/workflow-bundle.ts';
import { startWorkers } from '../src/adapters/temporal/workers.ts';
import { cacheDirectory } from '../src/local/cache-directory.ts';
import { createHandler } from '../src/main/create-handler.ts';
import { createTelemetry } from '../src/main/telemetry-context.ts';
import { runPump } from '../src/main/run-pump.ts';
import { openBudget } from '../src/testing/tenant.ts';
import type { BenchDatabase } from './database.ts';
import { createEndings } from './endings.ts';
import { openSubmitters, submit } from './submitters.ts';

const log = pino({ level: 'warn' });
const sharedQueues = 1;
/** As PostgREST has them: commands in flight are many more, but not in submission. */
const submitters = 10;

/** How the first task of a workflow comes to its Worker: with the answer to its start, or by the server's queue. */
export type WayOfStarting = 'eager' | 'plain';

export interface TemporalEngine {
  /** From its submission to its end. */
  runOne(): Promise<void>;
  /** From now on. */
  startBy(way: WayOfStarting): Promise<void>;
  stop(): Promise<void>;
}

/** Workers and pump in this process, as with `INTENT_PUMP=embedded`. One is a command, from `api.submit_command` to its outcome. */
export async function startCommandEngine(
  { client, connection, namespace }: TemporalConnection,
  database: BenchDatabase,
): Promise<TemporalEngine> {
  const endings = createEndings();
  const telemetry = await createTelemetry('bench', { OTEL_TRACES_SAMPLER_ARG: 1 });
  const handler = createHandler(database.urlFor('intent_worker'), log, telemetry);
  const handleCommand: typeof handler.handleCommand = async (command) => {
    const status = await handler.handleCommand(command);
    endings.tell(command.commandId);
    return status;
  };
  const workers = await startWorkers({
    client,
    connection,
    namespace,
    sharedQueues,
    workflowBundle: await loadWorkflowBundle(cacheDirectory()),
    activities: createActivities({ ...handler, handleCommand, log }),
    listDedicatedTenants: async () => [],
    log,
  });
  const connections = await openSubmitters(database, submitters);
  const idle = [...connections];
  const inLane = createLanes(submitters);
  let stopPump = async () => {};

  return {
    async runOne() {
      await endings.waitFor((commandId) =>
        inLane(async () => {
          // The one that has waited longest, so that all of them stay warm.
          const submitter = idle.shift()!;
          await submit(submitter, openBudget(commandId), commandId);
          idle.push(submitter);
        }),
      );
    },
    async startBy(way) {
      await stopPump();
      const stopping = new AbortController();
      const engine = createTemporalEngine({ client, sharedQueues, eager: way === 'eager' });
      const frame = { log, telemetry, signal: stopping.signal, need: () => {}, ask: () => {}, ready: () => {} };
      const pumping = runPump({ connectionString: database.urlFor('intent_pump'), ...engine, ...frame });
      stopPump = async () => {
        stopping.abort();
        await pumping;
      };
    },
    async stop() {
      await stopPump();
      await workers.stop();
      await handler.close();
      await Promise.all(connections.map((each) => each.close()));
    },
  };
}
