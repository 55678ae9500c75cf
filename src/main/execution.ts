import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';
import { failSpan } from './telemetry.ts';

/** What is observed of one execution, from its begin to its end, no matter who in the chain of calls sees it. */
export interface Execution {
  readonly startedAt: number;
  /** From the moment on when it is known what is executed, and for whom. */
  span?: Span;
  /** When that was; and how long it had waited by then. */
  loaded?: { readonly at: number; readonly dueMsAgo: number; readonly dispatchedMsAgo: number };
  /** When the last decision began. */
  decidingSince?: number;
}

const executions = new AsyncLocalStorage<Execution>();

/** Milliseconds since 1970, in fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function currentExecution(): Execution | undefined {
  return executions.getStore();
}

export function inExecution<Value>(work: () => Promise<Value>): Promise<Value> {
  const execution: Execution = { startedAt: now() };
  return executions.run(execution, async () => {
    try {
      return await work();
    } catch (error) {
      if (execution.span) failSpan(execution.span, error);
      throw error;
    } finally {
      execution.span?.end();
    }
  });
}
