import { randomUUID } from 'node:crypto';
import type { SupabaseClient } from '@supabase/supabase-js';
import { createFollow, type Follow } from '../client/follow.ts';
import { createFollowTenant, type FollowTenant } from '../client/follow-tenant.ts';
import { createGetOutcome } from '../client/outcome.ts';
import type { Send } from '../client/send.ts';
import { createTenantChannels } from '../client/tenant-channels.ts';
import type { CommandResult } from '../client/commands.ts';
import { findCommandDefinition } from '../domain/commands.ts';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';

export interface ClientTenant {
  readonly tenantId: string;
  readonly userId: string;
  readonly client: SupabaseClient;
  readonly follow: Follow;
  readonly followTenant: FollowTenant;
  /** As the worker does. With a command, in its name. */
  append(aggregateId: string, event: BudgetEvent | LaterEvent, commandId?: string): Promise<void>;
  /** An append whose message is lost. */
  appendUnheard: ClientTenant['append'];
}

/** What a server that is newer than this client writes. */
interface LaterEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: object;
}

/** A new tenant, and its signed-in owner. There is no Edge Function and no worker: commands go to SQL, and the test settles them. */
export async function createClientTenant(gateway: TestGateway): Promise<ClientTenant> {
  const tenantId = randomUUID();
  const { userId, client } = await gateway.signUp(`user-${tenantId}`);
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  // No pump runs beside it, which would tell of what is withheld.
  await gateway.admin.query('select intent.set_hint_limit($1, null)', [tenantId]);
  await client.auth.refreshSession();
  const deps = { supabase: client, channels: createTenantChannels(client) };

  const append: ClientTenant['append'] = async (aggregateId, event, commandId) => {
    await gateway.admin.query(`select from intent.append_events($1, 'budget', $2, null, $3, $4)`, [
      tenantId,
      aggregateId,
      JSON.stringify([{ schemaVersion: 1, metadata: {}, ...event }]),
      commandId,
    ]);
  };

  return {
    tenantId,
    userId,
    client,
    follow: createFollow({ ...deps, send: sendThroughSql(client), getOutcome: createGetOutcome(client) }),
    followTenant: createFollowTenant(deps),
    append,
    async appendUnheard(...of) {
      await gateway.admin.query('begin');
      await gateway.admin.query('revoke insert on realtime.messages from intent_owner');
      await append(...of);
      await gateway.admin.query('grant insert on realtime.messages to intent_owner');
      await gateway.admin.query('commit');
    },
  };
}

/** Past the Edge Function, as any client may. */
function sendThroughSql(client: SupabaseClient): Send {
  return async (type, { commandId, aggregateId, payload }) => {
    const { data, error } = await client.schema('api').rpc('submit_command', {
      command_id: commandId,
      type,
      aggregate_type: findCommandDefinition(type)!.aggregateType,
      aggregate_id: aggregateId,
      payload,
    });
    if (error !== null) throw error;
    return data as CommandResult<never>;
  };
}
