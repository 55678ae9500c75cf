import { proxyLocalActivities } from '@temporalio/workflow';
import type { BareActivities } from './engine.ts';

const { doNothing } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '20 seconds' });

/** The least that a durable execution can be: what ours is compared with. */
export async function bareWorkflow(id: string): Promise<void> {
  await doNothing(id);
}
