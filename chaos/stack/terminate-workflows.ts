import { Client, Connection } from '@temporalio/client';
import { temporalSettings } from '../../src/adapters/temporal/connection.ts';

/** Terminates every workflow that runs, and returns how many they were. */
export async function terminateWorkflows(environment: Record<string, string>): Promise<number> {
  const connection = await Connection.connect(temporalSettings(environment).connection);
  try {
    const { workflow } = new Client({ connection });
    let terminated = 0;
    // Those of this moment: new ones start faster than a list of all would end.
    const query = `ExecutionStatus = 'Running' AND StartTime <= '${new Date().toISOString()}'`;
    for await (const { workflowId } of workflow.list({ query })) {
      // It may have ended since it was listed.
      await workflow.getHandle(workflowId).terminate('chaos').then(() => (terminated += 1), () => {});
    }
    return terminated;
  } finally {
    await connection.close();
  }
}
