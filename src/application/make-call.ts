import { OutsideUnavailable } from '../ports/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { OutsideCalls } from '../ports/outside-calls.ts';
import type { ProcessReference, ProcessStore } from '../ports/process-store.ts';

export interface MakeCallDeps {
  readonly store: ProcessStore;
  readonly outside: OutsideCalls;
  readonly log: Logger;
}

export interface MakeCall {
  /**
   * One attempt of a call that an instance has asked for, with its answer stored. Safe to repeat. Does nothing if the call is
   * answered or given up. Throws `OutsideUnavailable` and `StoreUnavailable`, which pass.
   */
  attempt(process: ProcessReference, callId: string, signal: AbortSignal): Promise<void>;
  /** No more attempts: the instance is told that the call has failed for good. */
  giveUp(process: ProcessReference, callId: string, reason: Error): Promise<void>;
}

export function createMakeCall({ store, outside, log }: MakeCallDeps): MakeCall {
  return {
    async attempt(process, callId, signal) {
      const call = await store.loadCall(process, callId);
      if (call === null) return;
      const answer = await outside.call(
        { tenantId: process.tenantId, name: call.name, request: call.request, idempotencyKey: callId },
        signal,
      );
      const stored = await store.answerCall(process, callId, answer);
      log.debug({ ...process, callId, name: call.name, ok: answer.ok, stored }, 'Called outside');
    },

    async giveUp(process, callId, reason) {
      log.warn({ ...process, callId, err: reason }, 'An outside call has failed for good');
      const code = reason instanceof OutsideUnavailable ? reason.code : 'FAILED';
      await store.answerCall(process, callId, { ok: false, error: { code, message: reason.message } });
    },
  };
}
