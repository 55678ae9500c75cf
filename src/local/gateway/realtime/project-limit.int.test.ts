import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { SupabaseClient } from '@supabase/supabase-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectSoon } from '../../../testing/expect-soon.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

/** 90 deliveries in a minute, to all tenants together. */
const maxDeliveriesPerSecond = 1.5;

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway(undefined, { maxDeliveriesPerSecond });
}, 60_000);

afterEach(() => gateway.stop());

interface Listening {
  readonly tenantId: string;
  readonly statuses: string[];
  /** Up to which positions it was told. */
  readonly told: number[];
}

/** A tenant with one client, which listens. */
async function listen(hintsPerSecond: number | null): Promise<Listening> {
  const tenantId = randomUUID();
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await gateway.admin.query('select intent.set_hint_limit($1, $2)', [tenantId, hintsPerSecond]);
  const { userId, client } = await gateway.signUp(`user-${tenantId}`);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  await client.auth.refreshSession();
  await client.realtime.setAuth();
  return join(client, tenantId);
}

async function join(client: SupabaseClient, tenantId: string): Promise<Listening> {
  const [statuses, told]: [string[], number[]] = [[], []];
  client
    .channel(`tenant:${tenantId}:events`, { config: { private: true } })
    .on('broadcast', { event: 'appended' }, ({ payload }) => told.push((payload as { toPosition: number }).toPosition))
    .subscribe((status) => statuses.push(status));
  await expectSoon(() => statuses).toEqual(['SUBSCRIBED']);
  return { tenantId, statuses, told };
}

async function append({ tenantId }: Listening, times = 1): Promise<void> {
  const events = JSON.stringify([{ type: 'Noted', schemaVersion: 1, payload: {} }]);
  for (let n = 0; n < times; n += 1) {
    await gateway.admin.query(`select from intent.append_events($1, 'note', 'a', null, $2)`, [tenantId, events]);
  }
}

test('a busy tenant whose hints are all sent closes the channels of everybody', async () => {
  const [busy, quiet] = [await listen(null), await listen(null)];
  await append(busy, 120);
  await expectSoon(() => busy.statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
  await append(quiet);
  await expectSoon(() => quiet.statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
  expect(quiet.told).toEqual([]);
});

test('a busy tenant within its rate closes no channel, and is told of all', async () => {
  const [busy, quiet] = [await listen(5), await listen(5)];
  for (let second = 0; second < 5; second += 1) {
    await append(busy, 60);
    // As the pump does.
    await gateway.admin.query('select from intent.announce_withheld_hints()');
    await pause(900);
  }
  await gateway.admin.query('select from intent.announce_withheld_hints()');
  await expectSoon(() => busy.told.at(-1)).toBe(300);
  await append(quiet);
  await expectSoon(() => quiet.told).toEqual([1]);
  expect([...busy.statuses, ...quiet.statuses]).toEqual(['SUBSCRIBED', 'SUBSCRIBED']);
  expect(busy.told.length).toBeLessThan(62);
});
