import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Commands of one member: so many at once, or so many a second. */
export type Stream = { readonly name: string; readonly token: string } & ({ readonly atOnce: number } | { readonly perSecond: number });

export interface LoadPlan {
  readonly apiUrl: string;
  readonly publishableKey: string;
  readonly streams: readonly Stream[];
  readonly ms: number;
  /** 0: the answer is that the command was accepted. */
  readonly waitSeconds: number;
  /** Of all paced streams together; what would be more is not sent. */
  readonly maxInFlight: number;
}

export interface Sent {
  readonly stream: string;
  readonly commandId: string;
  readonly status: number | 'no answer' | 'held back';
  /** To the answer. */
  readonly ms: number;
}

/** Opens budgets, one a command, over HTTP; returns what came of each. */
export async function sendLoad(plan: LoadPlan): Promise<readonly Sent[]> {
  const sender = fork(join(import.meta.dirname, 'load-sender.ts'));
  const died = once(sender, 'exit').then(() => Promise.reject(new Error('The sender has ended without an answer.')));
  sender.send(plan);
  const [sent] = (await Promise.race([once(sender, 'message'), died])) as [readonly Sent[]];
  died.catch(() => {});
  return sent;
}
