import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { probeDeadlineMs, type TemporalConnection, temporalSettings } from './connection.ts';

const pauseMs = 3_000;
/** So many probes in a row without an answer, each of 2 s, say that something is wrong. */
const suspiciousFailures = 2;

/**
 * Does the work for as long as the connection can be used. If it has gone deaf, the work is told to end, so that it gives back
 * what it holds, and an error is thrown: the SDK finds that out by itself after 45 s, which cannot be set, and cannot put Workers on
 * another connection, so this process has to begin anew. A server that is away is waited for.
 */
export async function whileConnected(
  temporal: Pick<TemporalConnection, 'probe'>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const end = () => ending.abort();
  const ended = await Promise.allSettled([watch(temporal, either).finally(end), work(either).finally(end)]);
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

/** Throws if nothing is answered on the connection, while the server answers on a new one. Ends when the signal aborts. */
async function watch({ probe }: Pick<TemporalConnection, 'probe'>, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    failures = (await succeeds(probe)) ? 0 : failures + 1;
    // Once more on the old one: the server may have come back in between.
    if (failures >= suspiciousFailures && (await succeeds(probeAnew)) && !(await succeeds(probe)) && !signal.aborted) {
      throw new Error('The connection to Temporal has gone deaf: the server answers on a new one, and not on this one.');
    }
  }
}

async function probeAnew(): Promise<void> {
  const { namespace, connection: settings } = temporalSettings();
  const connection = await Connection.connect({ ...settings, connectTimeout: probeDeadlineMs });
  try {
    await connection.withDeadline(Date.now() + probeDeadlineMs, () => connection.workflowService.describeNamespace({ namespace }));
  } finally {
    await connection.close();
  }
}

async function succeeds(probe: () => Promise<unknown>): Promise<boolean> {
  return probe().then(() => true, () => false);
}
