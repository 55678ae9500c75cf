import type pg from 'pg';

/** Two tenants with the same ids inside: whatever forgets the tenant, finds the row of the other one. */
export const rose = household('a0000000-0000-7000-8000-000000000001', 'b1');
export const thorn = household('a0000000-0000-7000-8000-000000000002', 'b2');

/** Of an order, and of the command that placed it: in both households. */
export const orderId = 'd0000000-0000-7000-8000-000000000001';
export const commandId = 'c0000000-0000-7000-8000-000000000001';

export interface Household {
  readonly tenantId: string;
  readonly owner: string;
  readonly member: string;
}

function household(tenantId: string, prefix: string): Household {
  const user = (number: number) => `${prefix}000000-0000-7000-8000-00000000000${number}`;
  return { tenantId, owner: user(1), member: user(2) };
}

export function claimsIn({ tenantId }: Household, userId: string) {
  return { role: 'authenticated', sub: userId, tenant_id: tenantId, session_id: userId };
}

/** Each with an owner and a member; an order and its command, a budget, a snapshot, a command that waits, a session. */
export async function createHouseholds(admin: pg.ClientBase): Promise<void> {
  for (const where of [rose, thorn]) {
    const { tenantId, owner, member } = where;
    await admin.query('begin');
    await admin.query(`select intent.create_tenant($1, 'A household')`, [tenantId]);
    await admin.query(`select intent.add_member($1, $2, 'owner'), intent.add_member($1, $3, 'member')`, [tenantId, owner, member]);
    await admin.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claimsIn(where, member))]);
    await admin.query(`select api.switch_tenant($1)`, [tenantId]);
    await admin.query(`select api.submit_command($1, 'PlaceOrder', 'order', $2, '{}')`, [commandId, orderId]);
    await admin.query(`select api.submit_command(gen_random_uuid(), 'OpenBudget', 'budget', 'waiting', '{}')`);
    const placed = orderPlaced(member);
    await admin.query(`select intent.append_events($1, 'order', $2, 0, $3, $4)`, [tenantId, orderId, placed, commandId]);
    await admin.query(`select intent.save_snapshot($1, 'order', $2, 1, 1, '{}')`, [tenantId, orderId]);
    await admin.query(`select intent.append_events($1, 'budget', 'groceries', 0, $2)`, [tenantId, budgetOpened]);
    await admin.query('commit');
  }
}

function orderPlaced(placedBy: string): string {
  const payload = { budgetId: 'groceries', lines: [], total: 700, placedBy, needsApproval: false };
  return JSON.stringify([{ type: 'OrderPlaced', schemaVersion: 1, payload }]);
}

const budgetOpened = JSON.stringify([{ type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Groceries', limit: 1000 } }]);
