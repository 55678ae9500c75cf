import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import type { LoadPlan, Sent, Stream } from './send-load.ts';

// A process of its own, told by `sendLoad` what to send: the gateway's process has enough to do.
const tickMs = 5;
/** Longer than what a command waits for its outcome. */
const patienceMs = 30_000;

const [plan] = (await once(process, 'message')) as [LoadPlan];
const sent: Sent[] = [];
const endsAt = performance.now() + plan.ms;
let inFlight = 0;
await Promise.all(plan.streams.map((stream) => ('atOnce' in stream ? sendAtOnce(stream) : sendPaced(stream))));
process.send!(sent, () => process.disconnect());

/** The next one as soon as one is answered: as many as can be served. */
async function sendAtOnce(stream: Stream & { readonly atOnce: number }): Promise<void> {
  await Promise.all(Array.from({ length: stream.atOnce }, async () => {
    while (performance.now() < endsAt) await send(stream);
  }));
}

/** Whether answered or not, as people do who do not know of each other. */
async function sendPaced(stream: Stream & { readonly perSecond: number }): Promise<void> {
  const beganAt = performance.now();
  const sending: Promise<void>[] = [];
  for (let count = 0; performance.now() < endsAt; await sleep(tickMs)) {
    for (; count < ((performance.now() - beganAt) / 1000) * stream.perSecond; count += 1) {
      if (inFlight < plan.maxInFlight) sending.push(send(stream));
      else sent.push({ stream: stream.name, commandId: '', status: 'held back', ms: 0 });
    }
  }
  await Promise.all(sending);
}

async function send({ name, token }: Stream): Promise<void> {
  const commandId = randomUUID();
  const beganAt = performance.now();
  inFlight += 1;
  const status = await post(commandId, token).catch(() => 'no answer' as const);
  inFlight -= 1;
  sent.push({ stream: name, commandId, status, ms: performance.now() - beganAt });
}

async function post(commandId: string, token: string): Promise<number> {
  const response = await fetch(`${plan.apiUrl}/functions/v1/command`, {
    method: 'POST',
    headers: {
      apikey: plan.publishableKey,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(plan.waitSeconds > 0 && { prefer: `wait=${plan.waitSeconds}` }),
    },
    body: JSON.stringify({ commandId, type: 'OpenBudget', aggregateId: commandId, payload: { name: 'Load', limit: 1 } }),
    signal: AbortSignal.timeout(patienceMs),
  });
  await response.arrayBuffer();
  return response.status;
}
