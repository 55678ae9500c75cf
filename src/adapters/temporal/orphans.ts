import type { Client } from '@temporalio/client';
import type { CommandReference } from '../../ports/command-queue.ts';

/** As `commandWorkflowId` makes them. */
const idOfCommand = /^([0-9a-f-]{36})\/command\/([0-9a-f-]{36})$/;
const commandsAtOnce = 500;

export interface Execution extends CommandReference {
  readonly workflowId: string;
  readonly status: string;
  readonly startedAt: Date;
}

/** Returns those of the commands that it does not know. */
export type FindUnknown = (commands: readonly CommandReference[]) => Promise<readonly CommandReference[]>;

/** The executions of commands that the database does not know, newest first, as far as Temporal remembers them. */
export async function* listOrphans(client: Client, findUnknown: FindUnknown, since?: Date): AsyncGenerator<Execution> {
  let together: Execution[] = [];
  for await (const execution of listExecutions(client, since)) {
    together.push(execution);
    if (together.length < commandsAtOnce) continue;
    yield* await unknownOf(together, findUnknown);
    together = [];
  }
  yield* await unknownOf(together, findUnknown);
}

async function* listExecutions(client: Client, since?: Date): AsyncGenerator<Execution> {
  const started = since === undefined ? '' : ` AND StartTime >= '${since.toISOString()}'`;
  for await (const { workflowId, status, startTime } of client.workflow.list({ query: `WorkflowType = 'commandWorkflow'${started}` })) {
    const [, tenantId, commandId] = idOfCommand.exec(workflowId) ?? [];
    if (tenantId === undefined || commandId === undefined) continue;
    yield { tenantId, commandId, workflowId, status: status.name, startedAt: startTime };
  }
}

async function unknownOf(executions: readonly Execution[], findUnknown: FindUnknown): Promise<readonly Execution[]> {
  const unknown = new Set((await findUnknown(executions)).map(({ tenantId, commandId }) => `${tenantId}/${commandId}`));
  return executions.filter(({ tenantId, commandId }) => unknown.has(`${tenantId}/${commandId}`));
}
