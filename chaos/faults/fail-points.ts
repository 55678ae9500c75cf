import { until } from '../../src/local/process/until.ts';
import { type FailPoint, failPoints } from '../stack/fail-points.ts';
import { type Fault, pickService, restWithinMs } from './fault.ts';

/** The process has to come up first. */
const reachedWithinMs = 20_000;

export const failPointFaults: readonly Fault[] = (Object.keys(failPoints) as FailPoint[]).map((point) => {
  const { kind } = failPoints[point];
  return {
    name: `die-${point}`,
    family: 'fail point',
    about: `a ${kind} kills itself: ${point.replace('-', ' ')}`,
    restWithinMs,
    async inject(context) {
      const service = pickService(context, kind);
      const module = new URL('../stack/die-at.ts', import.meta.url);
      module.searchParams.set('point', point);
      await service.replace(module.href);
      const endsBefore = service.ends();
      return async () => {
        try {
          await until(async () => service.ends() > endsBefore, AbortSignal.timeout(reachedWithinMs));
        } catch {
          // It must not die later, in the midst of another fault.
          context.note('not reached');
          service.signal('SIGKILL');
        }
        await context.stack.ready();
      };
    },
  };
});
