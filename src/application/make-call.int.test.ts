import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createProcessStore } from '../adapters/postgres/process-store.ts';
import { OutsideUnavailable } from '../ports/errors.ts';
import type { OutsideCall, OutsideCalls } from '../ports/outside-calls.ts';
import type { ProcessReference, ProcessStore } from '../ports/process-store.ts';
import { createTestDatabase } from '../testing/database.ts';
import { queueReaction } from '../testing/processes.ts';
import { connect, createTenant } from '../testing/tenant.ts';
import { createMakeCall } from './make-call.ts';

let db: ReturnType<typeof connect>;
let store: ProcessStore;
let instance: ProcessReference;
const { signal } = new AbortController();
const request = { total: 700 };

beforeAll(async () => {
  db = connect(await createTestDatabase());
  store = createProcessStore({ pool: db.worker });
});
beforeEach(async () => {
  const { tenantId } = await createTenant(db.admin);
  instance = { tenantId, process: 'order-fulfilment', key: await queueReaction(db, tenantId) };
  const calls = [{ callId: 'call-1', name: 'ask', request, causationId: null }];
  const rest = { timers: {}, timerCauses: {}, commands: [], endedCalls: [], acknowledged: [1], trace: [] };
  await store.advance(instance, 0, { state: {}, stateVersion: 1, status: 'open', calls, ...rest });
});
afterAll(() => db.end());

const makeCall = (outside: OutsideCalls) => createMakeCall({ store, outside, log: pino({ level: 'silent' }) });
const answers = async () => (await store.load(instance))?.reactions.map(({ message }) => (message as { answer: unknown }).answer);

describe('an outside call', () => {
  it.each([
    [{ ok: true, value: { reference: 'S-1' } } as const],
    [{ ok: false, error: { code: 'REFUSED', message: 'Sold out.' } } as const],
  ])('is made under its id, and its answer is stored: %j', async (answer) => {
    const made: OutsideCall[] = [];
    await makeCall({ call: async (call) => (made.push(call), answer) }).attempt(instance, 'call-1', signal);
    expect(made).toEqual([{ tenantId: instance.tenantId, name: 'ask', request, idempotencyKey: 'call-1' }]);
    expect(await answers()).toEqual([answer]);
  });

  it('is not made again where it has its answer', async () => {
    let made = 0;
    const { attempt } = makeCall({ call: async () => ({ ok: true, value: (made += 1) }) });
    await attempt(instance, 'call-1', signal);
    await attempt(instance, 'call-1', signal);
    expect(made).toBe(1);
  });

  it('stays open where the other side cannot be asked, until it is given up', async () => {
    const away = new OutsideUnavailable('The supplier did not answer.');
    const { attempt, giveUp } = makeCall({ call: () => Promise.reject(away) });
    await expect(attempt(instance, 'call-1', signal)).rejects.toBe(away);
    expect(await answers()).toEqual([]);
    await giveUp(instance, 'call-1', away);
    expect(await answers()).toEqual([{ ok: false, error: { code: 'UNAVAILABLE', message: 'The supplier did not answer.' } }]);
  });

  it('whose answer comes after it was given up changes nothing', async () => {
    const { attempt, giveUp } = makeCall({
      async call() {
        await giveUp(instance, 'call-1', new Error('too late'));
        return { ok: true, value: {} };
      },
    });
    await attempt(instance, 'call-1', signal);
    expect(await answers()).toMatchObject([{ ok: false }]);
  });
});
