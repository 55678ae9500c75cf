import type pg from 'pg';
import type { EventRow, Evidence } from './evidence.ts';

type Stored = Pick<Evidence, 'commands' | 'events' | 'orders' | 'budgets' | 'shares' | 'processes'>;

// As an administrator and by hand: the functions and views of the system are what is under test. Numbers leave as JSON, because the
// driver makes texts of bigints.
const statements = {
  commands: `
    select tenant_id as "tenantId", command_id as "commandId", type, aggregate_type as "aggregateType", aggregate_id as "aggregateId",
      actor_user_id as "actorUserId", status, outcome, error, due_at <= clock_timestamp() as "isDue"
    from intent.commands`,
  events: `
    select tenant_id as "tenantId", position, aggregate_type as "aggregateType", aggregate_id as "aggregateId", version, type, payload,
      metadata ->> 'commandId' as "commandId", metadata #>> '{actor,userId}' as "actorUserId"
    from intent.events order by tenant_id, position`,
  orders: `
    select tenant_id as "tenantId", order_id as "orderId", budget_id as "budgetId", status, total, placed_by as "placedBy", version
    from intent.orders`,
  budgets: `
    select tenant_id as "tenantId", budget_id as "budgetId", spending_limit as "limit", reserved, spent, version from intent.budgets`,
  shares: `
    select tenant_id as "tenantId", budget_id as "budgetId", order_id as "orderId", reserved, spent from intent.budget_shares`,
  processes: `
    select p.tenant_id as "tenantId", p.process, p.key, p.status,
      (select count(*) from intent.reactions as r where (r.tenant_id, r.process, r.key) = (p.tenant_id, p.process, p.key)) as waiting,
      (select count(*) from jsonb_object_keys(p.calls)) as "openCalls"
    from intent.processes as p`,
} as const satisfies Record<keyof Stored, string>;

/** What the database holds, of one moment. */
export async function readStored(admin: pg.Pool): Promise<Stored> {
  const selections = Object.entries(statements).map(
    ([name, statement]) => `'${name}', (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from (${statement}) as r)`,
  );
  const { rows } = await admin.query<{ stored: Stored }>(`select jsonb_build_object(${selections.join(', ')}) as stored`);
  return rows[0]!.stored;
}

interface FeedEvent {
  readonly position: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly payload: unknown;
  readonly metadata: { readonly commandId?: string; readonly actor?: { readonly userId: string | null } };
}

/** An event as a member reads it, in the words of the checker. */
export function eventRow(tenantId: string, event: FeedEvent): EventRow {
  const { position, aggregateType, aggregateId, version, type, payload, metadata } = event;
  const { commandId = null, actor } = metadata;
  return { tenantId, position, aggregateType, aggregateId, version, type, payload, commandId, actorUserId: actor?.userId ?? null };
}
