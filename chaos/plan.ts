import { z } from 'zod';
import { createRandom } from '../src/testing/random.ts';

const shortestHoldMs = 300;
const holdSpreadMs = 2_700;
const shortestWarmUpMs = 300;
const warmUpSpreadMs = 1_200;

const stepSchema = z.object({
  fault: z.string(),
  /** Of undisturbed load, before. */
  warmUpMs: z.number().int().nonnegative(),
  holdMs: z.number().int().nonnegative(),
  /** Of the fault's own choices. */
  seed: z.number().int().nonnegative(),
});
const timelineSchema = z.object({ seed: z.number().int().nonnegative(), steps: z.array(stepSchema) });

export type Step = z.infer<typeof stepSchema>;
/** All that a run does on purpose; who repeats it gets the same, but for what chance does between processes. */
export type Timeline = z.infer<typeof timelineSchema>;

/** Steps without end: all the faults in an order of their own, then all in another one. */
export function* planSteps(seed: number, faultNames: readonly string[]): Generator<Step, never> {
  const random = createRandom(seed);
  for (;;) {
    const left = [...faultNames];
    while (left.length > 0) {
      const [fault] = left.splice(random.below(left.length), 1);
      yield {
        fault: fault!,
        warmUpMs: shortestWarmUpMs + random.below(warmUpSpreadMs),
        holdMs: shortestHoldMs + random.below(holdSpreadMs),
        seed: random.below(2 ** 32),
      };
    }
  }
}

/** Throws if it is none. */
export function parseTimeline(text: string): Timeline {
  return timelineSchema.parse(JSON.parse(text));
}
