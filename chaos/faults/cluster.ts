import { setTimeout as sleep } from 'node:timers/promises';
import { processNames, services } from '../../src/testing/cluster/process-config.ts';
import { pick } from '../load/commands.ts';
import type { ChaosStack } from '../stack/stack.ts';
import { type Fault, restAfterRestartWithinMs } from './fault.ts';

/** Of a cluster, one process at a time: the other of its service goes on. */
export const clusterFaults: readonly Fault[] = [
  ...processNames.map(
    (name): Fault => ({
      name: `kill-temporal-${name}`,
      family: 'temporal',
      needsCluster: true,
      about: `kill -9 of Temporal's ${name}, and a pause`,
      restWithinMs: restAfterRestartWithinMs,
      async inject({ stack, holdMs }) {
        await endForAWhile(stack, name, 'kill', holdMs);
        return () => stack.ready();
      },
    }),
  ),
  ...services.map(
    (service): Fault => ({
      name: `stop-temporal-${service}`,
      family: 'temporal',
      needsCluster: true,
      about: `one of Temporal's two ${service} processes is ended as for a newer version, and started again`,
      restWithinMs: restAfterRestartWithinMs,
      async inject({ stack, holdMs, random, note }) {
        const name = pick(processNames.filter((each) => each.startsWith(`${service}-`)), random);
        note(name);
        await endForAWhile(stack, name, 'stop', holdMs);
        return () => stack.ready();
      },
    }),
  ),
];

async function endForAWhile({ temporal }: ChaosStack, name: string, how: 'kill' | 'stop', awayMs: number): Promise<void> {
  const process = temporal.processes.find((each) => each.name === name)!;
  await process.end(how);
  await sleep(awayMs);
  await process.start();
}
