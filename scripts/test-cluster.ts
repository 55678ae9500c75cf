// The Temporal tests and chaos on a production cluster: `npm run test:cluster -- --help`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { listenForStop } from '../src/cli/stop-signals.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { intentDirectory, projectRoot } from '../src/local/paths.ts';
import { endWithUs } from '../src/local/process/end-with-us.ts';
import { obtainServer } from '../src/testing/cluster/obtain-server.ts';
import { startCluster } from '../src/testing/cluster/start-cluster.ts';
import { testsOnTemporal } from '../src/testing/cluster/tests-on-temporal.ts';

const help = `Usage: npm run test:cluster -- [--minutes 10] [--seed n] [--tests-only] [--chaos-only] [test file …]

Builds Temporal's production server (once, in minutes, into the cache), starts it as a cluster on an embedded PostgreSQL (frontend,
history, matching and worker, two processes of each, and only for clients with a certificate and an API key), and runs on it

  1. every test that takes a Temporal server: commands, process managers, schedules, worker and pump as processes, and who is refused;
     each file in a namespace of its own
  2. chaos, on a cluster of its own: each process of Temporal is killed in turn, beside all other faults

Ends with 0 if everything held. Needs Go and OpenSSL. Leaves nothing but the cache, and logs if something failed.

  --minutes n    of chaos (10)
  --seed n       of chaos (a new one each time)
  --tests-only   no chaos
  --chaos-only   no tests
  test file …    these instead of all that can run on it
  --help         this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    'tests-only': { type: 'boolean', default: false },
    'chaos-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(help);
else await endWithWords(testCluster);

async function testCluster(): Promise<number> {
  const { signal } = listenForStop(() => process.exit(130));
  const seed = values.seed === undefined ? [] : ['--seed', values.seed];
  const parts = [
    ...(values['chaos-only'] ? [] : [runTests]),
    ...(values['tests-only'] ? [] : [() => run([join('chaos', 'run.ts'), '--cluster', '--embedded', '--minutes', values.minutes, ...seed], {}, signal)]),
  ];
  for (const part of parts) {
    const code = await part(signal);
    if (signal.aborted) return 130;
    if (code !== 0) return code;
  }
  return 0;
}

async function runTests(signal: AbortSignal): Promise<number> {
  const programs = await obtainServer(console.log);
  const cluster = await startCluster({ programs, log: console.log });
  try {
    const environment = { ...cluster.clientEnvironment, TEMPORAL_ADDRESS: `127.0.0.1:${cluster.port}`, INTENT_TEST_CLUSTER: '1' };
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
    const code = await run([vitest, 'run', '--project', 'int', ...(positionals.length > 0 ? positionals : testsOnTemporal())], environment, signal);
    if (code !== 0 && !signal.aborted) keepLogs(cluster.logs);
    return code;
  } finally {
    await cluster.stop();
  }
}

function keepLogs(logs: string): void {
  const kept = join(intentDirectory(), 'cluster-logs');
  cpSync(logs, kept, { recursive: true });
  console.log(`The cluster's logs: ${kept}`);
}

/** Resolves with the exit code of a program of Node's, which ends with us. */
async function run(args: readonly string[], environment: Record<string, string>, signal: AbortSignal): Promise<number> {
  if (signal.aborted) return 130;
  const child = spawn(process.execPath, [...args], {
    cwd: projectRoot,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    // A terminal's Ctrl-C reaches us alone, and we pass it on.
    detached: true,
  });
  endWithUs(child);
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', stop);
  return code ?? 1;
}
