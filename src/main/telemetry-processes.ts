import type { AdvanceProcess } from '../application/advance-process.ts';
import type { MakeCall } from '../application/make-call.ts';
import type { ProcessReference, ProcessStore } from '../ports/process-store.ts';
import { currentExecution, inExecution } from './execution.ts';
import type { SpanRole } from './telemetry.ts';
import type { Telemetry } from './telemetry-context.ts';

export function observeAdvanceProcess(advanceProcess: AdvanceProcess): AdvanceProcess {
  return (process) => inExecution(() => advanceProcess(process));
}

export function observeMakeCall(makeCall: MakeCall): MakeCall {
  return { ...makeCall, attempt: (process, callId, signal) => inExecution(() => makeCall.attempt(process, callId, signal)) };
}

/** A step, and an attempt of an outside call, are spans under the trace of what set the instance off or had it go on last. */
export function observeProcessStore(store: ProcessStore, { tracing, traceIds }: Telemetry): ProcessStore {
  function begin(name: string, role: SpanRole, { tenantId, key }: ProcessReference, traceparent: string | null): void {
    traceIds.note(key, traceparent);
    const execution = currentExecution();
    if (execution === undefined || execution.span !== undefined) return;
    const attributes = { 'intent.tenant_id': tenantId, 'intent.process_key': key };
    execution.span = tracing.start(name, { parent: traceparent, role, startedAt: execution.startedAt, attributes });
  }

  return {
    ...store,

    async load(process) {
      const loaded = await store.load(process);
      if (loaded !== null) begin(`advance ${process.process}`, 'consumer', process, loaded.traceparent);
      return loaded;
    },

    async loadCall(process, callId) {
      const call = await store.loadCall(process, callId);
      if (call !== null) begin(`call ${call.name}`, 'client', process, call.traceparent);
      return call;
    },
  };
}
