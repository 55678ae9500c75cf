import { type Fault, type FaultContext, pickService, restWithinMs } from './fault.ts';
import type { Service, ServiceKind } from '../stack/service.ts';

const kinds: readonly ServiceKind[] = ['pump', 'worker'];

export const processFaults: readonly Fault[] = kinds.flatMap((kind) => [
  ended(`kill-${kind}`, `kill -9 of a ${kind}`, 'SIGKILL', (context) => [pickService(context, kind)]),
  ended(`kill-all-${kind}s`, `kill -9 of every ${kind} at once`, 'SIGKILL', ({ stack }) =>
    stack.services.filter((service) => service.kinds.includes(kind)),
  ),
  ended(`stop-${kind}`, `SIGTERM to a ${kind}`, 'SIGTERM', (context) => [pickService(context, kind)]),
  {
    name: `pause-${kind}`,
    family: 'process',
    about: `a ${kind} is stopped (SIGSTOP), and goes on later`,
    restWithinMs,
    async inject(context) {
      const service = pickService(context, kind);
      service.signal('SIGSTOP');
      return async () => service.signal('SIGCONT');
    },
  },
]);

function ended(name: string, about: string, signal: NodeJS.Signals, choose: (context: FaultContext) => readonly Service[]): Fault {
  return {
    name,
    family: 'process',
    about,
    restWithinMs,
    async inject(context) {
      for (const service of choose(context)) service.signal(signal);
      return () => context.stack.ready();
    },
  };
}
