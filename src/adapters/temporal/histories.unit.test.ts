import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { cacheDirectory } from '../../local/cache-directory.ts';
import { installTemporalRuntime } from './connection.ts';
import { bundleWorkflows, loadWorkflowBundle } from './workflow-bundle.ts';

// What workflows of each release have recorded while they ran: scripts/record-histories.ts. A change that cannot replay one of them
// would break those that are under way when it is deployed: keep both ways, with `patched()`.
const directory = fileURLToPath(new URL('./histories/', import.meta.url));
const recorded = globSync('*/*.binpb', { cwd: directory }).toSorted();

installTemporalRuntime(pino({ level: 'silent' }));

/** The errors, by file. */
async function replay(files: readonly string[], workflowBundle: WorkflowBundleOption): Promise<Record<string, string>> {
  const histories = files.map((file) => ({ workflowId: file, history: proto.temporal.api.history.v1.History.decode(readFileSync(join(directory, file))) }));
  const errors: Record<string, string> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    if (error !== undefined) errors[workflowId] = error.name;
  }
  return errors;
}

describe('the workflows', () => {
  it('replay every history that a release has recorded', async () => {
    expect(recorded.length).toBeGreaterThanOrEqual(6);
    expect(await replay(recorded, await loadWorkflowBundle(cacheDirectory()))).toEqual({});
  });

  // It bundles workflows anew.
  it('are caught by these histories where a change is incompatible', { timeout: 120_000 }, async () => {
    const commands = recorded.filter((file) => file.includes('command-'));
    expect(commands.length).toBeGreaterThanOrEqual(2);
    const code = await bundleWorkflows(fileURLToPath(new URL('./testing/incompatible-workflows.ts', import.meta.url)));
    expect(await replay(commands, { code })).toEqual(Object.fromEntries(commands.map((file) => [file, 'DeterminismViolationError'])));
  });
});
