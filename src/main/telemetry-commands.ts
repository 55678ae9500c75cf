import type { HandleCommand } from '../application/handle-command.ts';
import type { CommandReference } from '../ports/command-queue.ts';
import type { CommandStore, LoadedCommand } from '../ports/command-store.ts';
import { currentExecution, inExecution, now } from './execution.ts';
import { inSpan } from './telemetry.ts';
import type { Telemetry } from './telemetry-context.ts';

type SettledAs = 'succeeded' | 'rejected' | 'failed';

/** Each execution of a command is a span under the command's `traceparent`. Its store is an observed one. */
export function observeHandleCommand(handleCommand: HandleCommand): HandleCommand {
  return (reference) => inExecution(() => handleCommand(reference));
}

/** Counts outcomes where they are stored, so each once; times the stages of an execution, with a span each. */
export function observeCommandStore(store: CommandStore, telemetry: Telemetry): CommandStore {
  const { metrics, tracing, traceIds, tenantClasses, observeStage } = telemetry;

  function begin({ tenantId, commandId }: CommandReference, command: LoadedCommand): void {
    traceIds.note(commandId, command.traceparent);
    const execution = currentExecution();
    if (execution === undefined || execution.span !== undefined) return;
    const { type, traceparent: parent, dueMsAgo, dispatchedMsAgo } = command;
    const attributes = { 'intent.tenant_id': tenantId, 'intent.command_id': commandId };
    execution.span = tracing.start(`execute ${type}`, { parent, role: 'consumer', startedAt: execution.startedAt, attributes });
    execution.loaded = { at: now(), dueMsAgo, dispatchedMsAgo: dispatchedMsAgo ?? 0 };
    execution.decidingSince = execution.loaded.at;
    tracing.start('load', { parent: execution.span, role: 'client', startedAt: execution.startedAt }).end();
    observeStage('load', execution.loaded.at - execution.startedAt);
  }

  async function decided<Value>(spanName: string, write: () => Promise<Value>): Promise<Value> {
    const execution = currentExecution();
    const startedAt = now();
    if (execution?.decidingSince !== undefined) observeStage('decide', startedAt - execution.decidingSince);
    const span = tracing.start(spanName, { parent: execution?.span ?? null, role: 'client', startedAt });
    const value = await inSpan(span, write);
    observeStage('append', now() - startedAt);
    if (execution !== undefined) execution.decidingSince = now();
    return value;
  }

  function settled({ tenantId }: CommandReference, outcome: SettledAs): void {
    metrics.settled.inc({ outcome, tenant_class: tenantClasses.of(tenantId) });
    const loaded = currentExecution()?.loaded;
    if (loaded === undefined) return;
    const sinceMs = now() - loaded.at;
    observeStage('execution', loaded.dispatchedMsAgo + sinceMs);
    observeStage('total', loaded.dueMsAgo + sinceMs);
  }

  return {
    ...store,

    async load(reference, stateVersions) {
      const command = await store.load(reference, stateVersions);
      if (command !== null) begin(reference, command);
      return command;
    },

    async append(reference, aggregate, expectedVersion, events) {
      const result = await decided('append', () => store.append(reference, aggregate, expectedVersion, events));
      if (!('missed' in result) && !result.duplicate) settled(reference, 'succeeded');
      return result;
    },

    async reject(reference, rejection) {
      await decided('reject', () => store.reject(reference, rejection));
      settled(reference, 'rejected');
    },

    async fail(reference, error) {
      await store.fail(reference, error);
      settled(reference, 'failed');
    },
  };
}
