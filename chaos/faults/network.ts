import type { TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { type Fault, type FaultContext, pickService, restWithinMs } from './fault.ts';

interface Link {
  /** Until a connection that passes nothing any more is found out and replaced. */
  readonly foundWithinMs: number;
  choose(context: FaultContext): TcpProxy;
}

const quiet = { foundWithinMs: 15_000 };
const links: Readonly<Record<string, Link>> = {
  'pump-postgres': { ...quiet, choose: (context) => pickService(context, 'pump').postgres('pump') },
  'worker-postgres': { ...quiet, choose: (context) => pickService(context, 'worker').postgres('worker') },
  'client-postgres': { ...quiet, choose: ({ stack }) => stack.clients },
  'pump-temporal': { ...quiet, choose: (context) => pickService(context, 'pump').temporal },
  'worker-temporal': { ...quiet, choose: (context) => pickService(context, 'worker').temporal },
};

interface Damage {
  readonly about: string;
  /** Whether it has to be found out: neither side is told. */
  readonly isSilent?: boolean;
  damage(proxy: TcpProxy): void;
}

const damages: Readonly<Record<string, Damage>> = {
  cut: { about: 'connections break once', damage: (proxy) => proxy.cut() },
  drop: { about: 'connections break, and none comes up', damage: (proxy) => proxy.become('closed') },
  freeze: { about: 'nothing passes for a while', damage: (proxy) => proxy.become('frozen') },
  delay: { about: 'everything takes longer', damage: (proxy) => proxy.become('slow') },
  'half-open': { about: 'connections stay open and pass nothing any more', isSilent: true, damage: (proxy) => proxy.deafen() },
  'lose-answer': { about: 'an answer is lost with its connection', damage: (proxy) => void proxy.loseNextAnswer('cut') },
};

export const networkFaults: readonly Fault[] = Object.entries(damages).flatMap(([how, { about, isSilent = false, damage }]) =>
  Object.entries(links).map(
    ([where, { choose, foundWithinMs }]): Fault => ({
      name: `${how}-${where}`,
      family: 'network',
      about: `${where}: ${about}`,
      restWithinMs: isSilent ? restWithinMs + foundWithinMs : restWithinMs,
      async inject(context) {
        const proxy = choose(context);
        damage(proxy);
        return async () => proxy.become('open');
      },
    }),
  ),
);
