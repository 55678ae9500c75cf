import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Household, oldestOpen, type Outcome, type Step } from './access-model.ts';

/** What the small numbers of the model stand for in the database. Commands and orders have the same ids in both tenants. */
export interface Names {
  readonly tenants: readonly string[];
  readonly users: readonly string[];
  readonly commands: readonly string[];
  readonly orders: readonly string[];
}

export function newNames(tenants: number, users: number): Names {
  const ids = (count: number) => Array.from({ length: count }, () => randomUUID());
  return { tenants: ids(tenants), users: ids(users), commands: ids(6), orders: ids(3) };
}

const text = pg.escapeLiteral;

/** Stands in every payload of a tenant, so that a foreign one would show. */
export const markOf = (tenant: number) => `of-tenant-${tenant}`;

/** Takes the step as the user, with the claim, and returns what it is told. */
export async function takeInDatabase(admin: pg.ClientBase, names: Names, household: Household, step: Step): Promise<Outcome> {
  const statement = statementOf(names, household, step);
  if (statement === undefined) return 'done';
  try {
    await asUser(admin, names, step, statement);
    return 'done';
  } catch (error) {
    return (error as { code: Outcome }).code;
  }
}

/**
 * One transaction, as PostgREST would make it, in one round trip. Worker and operator need no claims, and their functions heed none.
 * Returns the rows of the statement.
 */
export async function asUser(admin: pg.ClientBase, names: Names, { user, tenant, does }: Step, statement: string): Promise<unknown[]> {
  const claims = JSON.stringify({ sub: names.users[user], tenant_id: names.tenants[tenant], session_id: names.users[user] });
  const role = does === 'settle' ? 'intent_worker' : does === 'add' ? 'intent_operator' : 'authenticated';
  const signIn = `set local role ${role}; select set_config('request.jwt.claims', ${text(claims)}, true)`;
  try {
    const results = (await admin.query(`begin; ${signIn}; ${statement}; commit`)) as unknown as pg.QueryResult[];
    return results.at(-2)!.rows as unknown[];
  } catch (error) {
    await admin.query('rollback');
    throw error;
  }
}

function statementOf(names: Names, household: Household, step: Step): string | undefined {
  const tenant = text(names.tenants[step.tenant]!);
  const target = 'target' in step ? text(names.users[step.target]!) : '';
  const command = 'command' in step ? text(names.commands[step.command]!) : '';
  switch (step.does) {
    case 'look':
      return undefined;
    case 'switch':
      return `select api.switch_tenant(${tenant})`;
    case 'accept':
      return `select api.accept_invitation(${tenant})`;
    case 'submit':
      return `select api.submit_command(${command}, 'PlaceOrder', 'order', ${text(names.orders[step.order]!)}, '{}')`;
    case 'add':
      return `select intent.add_member(${tenant}, ${target}, ${text(step.role)})`;
    case 'invite':
      return `select api.invite_member(${target}, ${text(step.role)})`;
    case 'changeRole':
      return `select api.change_role(${target}, ${text(step.role)})`;
    case 'remove':
      return `select api.remove_member(${target})`;
    case 'settle':
      return appendFor(names, household, step.tenant);
    default:
      return step satisfies never;
  }
}

/** What the worker does for the oldest command. */
function appendFor(names: Names, household: Household, tenant: number): string | undefined {
  const command = oldestOpen(household);
  if (command === undefined) return undefined;
  const { order, by } = household.commands.get(command)!;
  const payload = { budgetId: markOf(tenant), lines: [], total: 1, placedBy: names.users[by], needsApproval: false };
  const events = JSON.stringify([{ schemaVersion: 1, type: household.events.includes(order) ? 'OrderApproved' : 'OrderPlaced', payload }]);
  const values = [names.tenants[tenant]!, 'order', names.orders[order]!].map(text).join(', ');
  return `select intent.append_events(${values}, null, ${text(events)}, ${text(names.commands[command]!)})`;
}
