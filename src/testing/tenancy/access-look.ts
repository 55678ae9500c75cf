import pg from 'pg';
import { asUser, type Names } from './access-steps.ts';

/** All that the database shows to a user who claims the tenant; in the terms of the model, and as text. */
export async function lookInDatabase(admin: pg.ClientBase, names: Names, user: number, tenant: number) {
  const ids = (values: readonly string[]) => `unnest(array[${values.map(pg.escapeLiteral).join(', ')}]::uuid[])`;
  const [row] = await asUser(admin, names, { user, tenant, does: 'look' }, `select jsonb_build_object(
    'tenants', (select jsonb_agg(tenant_id) from intent.tenants),
    'events', (select jsonb_agg(to_jsonb(e)) from intent.events as e),
    'feed', api.read_feed(0),
    'orders', (select jsonb_agg(to_jsonb(o)) from api.orders as o),
    'streams', (select jsonb_agg(api.hydrate('order', id::text) order by n) from ${ids(names.orders)} with ordinality as o (id, n)),
    'commands', (select jsonb_agg(command_id) from intent.commands),
    'asked', (select jsonb_agg(id) from ${ids(names.commands)} as id where api.get_command(id) is not null),
    'log', (select jsonb_agg(distinct tenant_id) from intent.membership_log),
    'members', api.members()) as shown`);
  const { shown } = row as { shown: Shown };
  const commands = (seen: readonly string[] | null) => (seen ?? []).map((id) => names.commands.indexOf(id)).toSorted((a, b) => a - b);
  return {
    asText: JSON.stringify(shown),
    view: {
      tenants: shown.tenants?.length ?? 0,
      events: shown.events?.length ?? 0,
      feed: shown.feed.events.length,
      orders: shown.orders?.length ?? 0,
      versions: shown.streams.map(({ version }) => version),
      commands: commands(shown.commands),
      asked: commands(shown.asked),
      members: shown.members.length,
    },
  };
}

interface Shown {
  readonly tenants: unknown[] | null;
  readonly events: unknown[] | null;
  readonly feed: { readonly events: unknown[] };
  readonly orders: unknown[] | null;
  readonly streams: readonly { readonly version: number }[];
  readonly commands: readonly string[] | null;
  readonly asked: readonly string[] | null;
  readonly members: unknown[];
}
