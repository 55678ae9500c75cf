import type { HandleBatch } from '../application/handle-batch.ts';
import type { CommandStore, CommandToDecide, DecidedRun } from '../ports/command-store.ts';
import { currentExecution, inExecution, now } from './execution.ts';
import type { Telemetry } from './telemetry-context.ts';

interface Batch {
  readonly startedAt: number;
  readonly loadedAt: number;
  readonly commands: ReadonlyMap<string, CommandToDecide>;
}

export function observeHandleBatch(handleBatch: HandleBatch): HandleBatch {
  return (tenantId, commandIds) => inExecution(() => handleBatch(tenantId, commandIds));
}

/** As `observeCommandStore` does it for one: a span and an outcome for each command that a batch has settled. */
export function observeBatchStore(store: CommandStore, telemetry: Telemetry): CommandStore {
  const { metrics, tracing, traceIds, tenantClasses, observeStage } = telemetry;
  const batches = new WeakMap<object, Batch>();

  function settled(tenantId: string, { decisions }: DecidedRun, { startedAt, loadedAt, commands }: Batch): void {
    for (const decision of decisions) {
      const outcome = 'events' in decision ? 'succeeded' : 'rejected';
      metrics.settled.inc({ outcome, tenant_class: tenantClasses.of(tenantId) });
      const command = commands.get(decision.commandId);
      if (command === undefined) continue;
      observeStage('execution', now() - startedAt);
      observeStage('total', command.dueMsAgo + now() - loadedAt);
      const attributes = { 'intent.tenant_id': tenantId, 'intent.command_id': decision.commandId };
      tracing.start(`execute ${command.type}`, { parent: command.traceparent, role: 'consumer', startedAt, attributes }).end();
    }
  }

  return {
    ...store,

    async loadBatch(tenantId, commandIds, maxFollowers, stateVersions) {
      const runs = await store.loadBatch(tenantId, commandIds, maxFollowers, stateVersions);
      const execution = currentExecution();
      if (execution === undefined) return runs;
      const loadedAt = now();
      observeStage('load', loadedAt - execution.startedAt);
      const commands = new Map(runs.flatMap((run) => run.commands.map((command) => [command.commandId, command] as const)));
      for (const { commandId, traceparent } of commands.values()) traceIds.note(commandId, traceparent);
      batches.set(execution, { startedAt: execution.startedAt, loadedAt, commands });
      return runs;
    },

    async settleBatch(tenantId, runs) {
      const startedAt = now();
      const answers = await store.settleBatch(tenantId, runs);
      observeStage('append', now() - startedAt);
      const execution = currentExecution();
      const batch = execution && batches.get(execution);
      if (batch) for (const run of runs.filter((_, index) => answers[index])) settled(tenantId, run, batch);
      return answers;
    },
  };
}
