import type { Random } from '../../src/testing/random.ts';
import { pick } from '../load/commands.ts';
import type { Service, ServiceKind } from '../stack/service.ts';
import type { ChaosStack } from '../stack/stack.ts';

/** After a heal. */
export const restWithinMs = 10_000;
/** After a restart of PostgreSQL or Temporal. */
export const restAfterRestartWithinMs = 30_000;

export interface FaultContext {
  readonly stack: ChaosStack;
  readonly random: Random;
  /** How long it lasts. */
  readonly holdMs: number;
  /** For the reader of the run: that it came to nothing, or how much it met. */
  note(text: string): void;
}

/** Undoes it. Resolves when everything works again that can. */
export type Heal = () => Promise<void>;

export interface Fault {
  readonly name: string;
  readonly family: 'process' | 'fail point' | 'network' | 'postgres' | 'temporal' | 'queue' | 'supplier' | 'clock';
  readonly about: string;
  /** Whether Temporal must be a cluster. (Default: any will do) */
  readonly needsCluster?: boolean;
  readonly restWithinMs: number;
  inject(context: FaultContext): Promise<Heal>;
}

export function pickService({ stack, random }: FaultContext, kind: ServiceKind): Service {
  return pick(stack.services.filter((service) => service.kinds.includes(kind)), random);
}
