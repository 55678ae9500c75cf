import { type Fault, pickService, restWithinMs } from './fault.ts';

const ways = { ahead: 1, behind: -1 } as const;

export const clockFaults: readonly Fault[] = (['pump', 'worker'] as const).flatMap((kind) =>
  Object.entries(ways).map(
    ([way, hours]): Fault => ({
      name: `clock-${way}-${kind}`,
      family: 'clock',
      about: `the clock of a ${kind} is an hour ${way}`,
      restWithinMs,
      async inject(context) {
        const service = pickService(context, kind);
        const module = new URL('../stack/shift-clock.ts', import.meta.url);
        module.searchParams.set('hours', String(hours));
        await service.replace(module.href);
        await service.ready();
        return async () => {
          service.signal('SIGKILL');
          await context.stack.ready();
        };
      },
    }),
  ),
);
