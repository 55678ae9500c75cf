import { type Fault, restAfterRestartWithinMs } from './fault.ts';

export const temporalFaults: readonly Fault[] = [
  restarted('restart-temporal', 'stop', 'Temporal is away for a while'),
  restarted('kill-temporal', 'kill', 'kill -9 of Temporal, and a pause'),
  restarted('wipe-temporal', 'wipe', 'Temporal comes back without anything'),
  {
    name: 'pause-temporal',
    family: 'temporal',
    about: 'Temporal hangs (SIGSTOP), and goes on later',
    restWithinMs: restAfterRestartWithinMs,
    async inject({ stack }) {
      stack.temporal.signal('SIGSTOP');
      return async () => stack.temporal.signal('SIGCONT');
    },
  },
  {
    name: 'terminate-workflows',
    family: 'temporal',
    about: 'every workflow that runs is terminated',
    restWithinMs: restAfterRestartWithinMs,
    async inject({ stack, note }) {
      note(`${await stack.temporal.terminateWorkflows()} terminated`);
      return async () => {};
    },
  },
];

function restarted(name: string, how: 'stop' | 'kill' | 'wipe', about: string): Fault {
  return {
    name,
    family: 'temporal',
    about,
    restWithinMs: restAfterRestartWithinMs,
    async inject({ stack, holdMs }) {
      await stack.temporal.restart(how, holdMs);
      return () => stack.ready();
    },
  };
}
