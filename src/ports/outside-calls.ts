import type { Answer } from '../domain/kernel/process.ts';

export interface OutsideCall {
  /** On whose behalf. Members choose ids, so the same idempotency key of two tenants is two calls. */
  readonly tenantId: string;
  readonly name: string;
  readonly request: unknown;
  /** The same for each attempt, so that the other side does once what it is asked twice. */
  readonly idempotencyKey: string;
}

/** A refusal is an answer. */
export type OutsideAnswer = Answer;

/** Services of others, by the names of the calls that process managers make. */
export interface OutsideCalls {
  /** Throws `OutsideUnavailable` if the call may be repeated; whether it took effect is unknown then. */
  call(call: OutsideCall, signal: AbortSignal): Promise<OutsideAnswer>;
}
