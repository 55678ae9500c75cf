import type { CommandRow, EventRow, Evidence, Submission } from './evidence.ts';

const [tenantId, otherTenantId] = ['tenant-1', 'tenant-2'];
const [userId, otherUserId] = ['user-1', 'user-2'];
const line = { item: 'Bread', quantity: 1, unitPrice: 700 };
const of = { budget: ['budget', 'groceries'], order: ['order', 'order-1'] } as const;

type Sent = readonly [commandId: string, aggregate: keyof typeof of, version: number, type: string, payload: unknown, sender: string | null];

const sent: readonly Sent[] = [
  ['c1', 'budget', 1, 'BudgetOpened', { name: 'Food', limit: 1_000 }, userId],
  ['c2', 'order', 1, 'OrderPlaced', { budgetId: 'groceries', lines: [line], total: 700, placedBy: userId, needsApproval: false }, userId],
  ['c3', 'budget', 2, 'BudgetReserved', { orderId: 'order-1', amount: 700 }, null],
  ['c4', 'budget', 3, 'BudgetSpent', { orderId: 'order-1', amount: 700 }, null],
  ['c5', 'order', 2, 'OrderConfirmed', {}, null],
];

function eventOf([commandId, aggregate, version, type, payload, actorUserId]: Sent, index: number): EventRow {
  const [aggregateType, aggregateId] = of[aggregate];
  return { tenantId, position: index + 1, aggregateType, aggregateId, version, type, payload, commandId, actorUserId };
}

function rowOf({ position, version, commandId, aggregateType, aggregateId, actorUserId }: EventRow): CommandRow {
  const range = { firstVersion: version, lastVersion: version, firstPosition: position, lastPosition: position };
  const outcome = { aggregateType, aggregateId, ...range };
  return { tenantId, commandId: commandId!, type: 'Any', aggregateType, aggregateId, actorUserId, status: 'succeeded', outcome, error: null, isDue: true };
}

/** A budget, an order that was paid from it, and a rejected command: nothing is wrong with it. Fresh at each call. */
export function soundEvidence(): Evidence {
  const events = sent.map(eventOf);
  const rejected: CommandRow = { ...rowOf(events[0]!), commandId: 'c6', status: 'rejected', outcome: { code: 'BUDGET_ALREADY_OPEN' } };
  const commands = [...events.map(rowOf), rejected];
  const submissions: Submission[] = commands
    .filter(({ actorUserId }) => actorUserId !== null)
    .map(({ commandId, status, outcome }) => ({
      tenantId,
      commandId,
      client: 'client-1',
      answers: [{ kind: 'unknown', reason: 'ECONNRESET' }, { kind: 'accepted', status: 'pending', outcome: null }, { kind: 'accepted', status, outcome }],
      answersToOthers: [{ kind: 'refused', code: 'IN409' }],
    }));
  return structuredClone({
    tenants: [{ tenantId, userIds: [userId] }, { tenantId: otherTenantId, userIds: [otherUserId] }],
    submissions,
    followers: [{ name: 'follower-1', tenantId, applied: events }],
    commands,
    events,
    orders: [{ tenantId, orderId: 'order-1', budgetId: 'groceries', status: 'confirmed', total: 700, placedBy: userId, version: 2 }],
    budgets: [{ tenantId, budgetId: 'groceries', limit: 1_000, reserved: 0, spent: 700, version: 3 }],
    shares: [{ tenantId, budgetId: 'groceries', orderId: 'order-1', reserved: 0, spent: 700 }],
    processes: [{ tenantId, process: 'order-fulfilment', key: 'order-1', status: 'open', waiting: 0, openCalls: 0 }],
  });
}

type Listed = { [Name in keyof Evidence]: Evidence[Name] extends readonly (infer Item)[] ? Item : never };

/** With one thing about one row changed. */
export function withChanged<Name extends keyof Evidence>(name: Name, index: number, change: Partial<Listed[Name]>): Evidence {
  const evidence = soundEvidence();
  const rows = evidence[name] as readonly Listed[Name][];
  return { ...evidence, [name]: rows.map((row, at) => (at === index ? Object.assign(row, change) : row)) };
}

/** With other rows in the place of one. */
export function withReplaced<Name extends keyof Evidence>(
  name: Name,
  index: number,
  replace: (row: Listed[Name]) => readonly Listed[Name][],
): Evidence {
  const evidence = soundEvidence();
  const rows = evidence[name] as readonly Listed[Name][];
  return { ...evidence, [name]: rows.flatMap((row, at) => (at === index ? replace(row) : [row])) };
}
