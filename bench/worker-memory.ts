import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort } from '../src/local/ports.ts';
import { startProcess } from '../src/local/process/start-process.ts';
import { answersOk, until } from '../src/local/process/until.ts';
import { workerEnvironment, workerHeap } from '../src/local/worker-process.ts';
import type { RunningTemporal } from '../src/local/temporal/start-temporal.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { createTenants } from './append-calls.ts';
import type { BenchDatabase } from './database.ts';
import { toRow, type Row } from './row.ts';

/** Shared task queues of a kind: commands and processes make two. */
const sharedQueues = 10;
const tenantCount = 64;
const parts = 4;
const commandsPerPart = 5_000;
const longestSilenceMs = 30_000;

/** MiB that a worker process takes, with the pump in it: at its start, and after each quarter of the commands. */
export async function workerMemory(database: BenchDatabase, temporal: RunningTemporal, scale: number): Promise<Row> {
  const scratch = await createScratchDirectory();
  await createTenants(database, tenantCount);
  const worker = await startWorker(scratch.path, database, temporal);
  try {
    const commands = Math.ceil(commandsPerPart * scale);
    const sizes = [residentMebibytes(worker.pid)];
    for (let part = 1; part <= parts; part += 1) {
      await database.admin.query('select bench.fill_budget_commands($1, $2, $1, $3)', [commands, tenantCount, `part-${part}`]);
      await untilEnded(database, part * commands);
      sizes.push(residentMebibytes(worker.pid));
    }
    return toRow({
      benchmark: 'temporal',
      measured: `resident memory of a worker with ${2 * sharedQueues} task queues after ${parts * commands} commands`,
      values: [sizes.at(-1)!],
      unit: ' MiB',
      goal: { atMost: 350 },
      figures: `at its start ${sizes[0]}, after each quarter ${sizes.slice(1).join(', ')}`,
    });
  } finally {
    await worker.stop();
    scratch.remove();
  }
}

async function startWorker(home: string, database: BenchDatabase, { address, namespace }: RunningTemporal) {
  const healthPort = await choosePort(58_080);
  return startProcess({
    name: 'worker',
    home,
    command: process.execPath,
    args: [...workerHeap, 'src/main/worker.ts'],
    env: {
      ...workerEnvironment,
      PATH: process.env['PATH'],
      LOG_LEVEL: 'warn',
      DATABASE_URL: database.urlFor('intent_worker'),
      PUMP_DATABASE_URL: database.urlFor('intent_pump'),
      INTENT_PUMP: 'embedded',
      INTENT_TASK_QUEUES: String(sharedQueues),
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      HEALTH_PORT: String(healthPort),
    },
    ready: (signal) => until(() => answersOk(`http://127.0.0.1:${healthPort}/readyz`), signal),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 20_000,
  });
}

async function untilEnded({ admin }: BenchDatabase, count: number): Promise<void> {
  for (let last = -1, lastAt = 0; ; await sleep(200)) {
    const { rows } = await admin.query<{ ended: number }>(`select count(*)::int as ended from intent.commands where status not in ('pending', 'dispatched')`);
    const { ended } = rows[0]!;
    if (ended >= count) return;
    if (ended !== last) lastAt = performance.now();
    else if (performance.now() - lastAt > longestSilenceMs) throw new Error(`The worker has stopped at ${ended} of ${count} commands.`);
    last = ended;
  }
}

export function residentMebibytes(pid: number): number {
  return Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024);
}
