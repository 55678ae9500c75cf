import { commandId, type Household, orderId, rose, thorn } from './households.ts';
import type { Call } from './transcript.ts';

/** One id for everybody, and one that only Thorn has if it is there: to Rose it is an id that exists nowhere. */
const rejectedId = commandId.replace('1', '2');
const failedId = commandId.replace('1', '3');
const thornsId = commandId.replace('1', '4');
const nowhere = commandId.replace('1', '9');
const own = (inRose: string) => ({ tenantId }: Household) => [tenantId === rose.tenantId ? inRose : thornsId];
const tenant = ({ tenantId }: Household) => [tenantId];

const submit = (id: string, rest: string): string => `select api.submit_command('${id}', ${rest}) as answer`;
const placeOrder = `'PlaceOrder', 'order', '${orderId}', '{"budgetId": "groceries"}'`;
const events = (type: string, payload: object) => `'${JSON.stringify([{ type, schemaVersion: 1, payload }])}'`;
const placed = events('OrderPlaced', { budgetId: 'groceries', lines: [], total: 700, placedBy: rose.member, needsApproval: false });
const opened = events('BudgetOpened', { name: 'Groceries', limit: 1000 });

/** From the first command to its outcome, and what goes wrong on the way. */
export const work: readonly Call[] = [
  { as: 'member', statement: submit(commandId, placeOrder) },
  { as: 'member', statement: submit(commandId, placeOrder) },
  { as: 'owner', statement: submit(commandId, placeOrder) },
  { as: 'owner', statement: submit(rejectedId, `'CancelOrder', 'order', '${orderId}', '{}'`) },
  { as: 'owner', statement: submit(failedId, `'OpenBudget', 'budget', 'groceries', '{}'`) },
  { as: 'owner', statement: submit(nowhere, `'EatOrder', 'order', '${orderId}', '{}'`) },
  { as: 'owner', statement: submit(nowhere, `'ConfirmOrder', 'order', '${orderId}', '{}'`) },
  { as: 'member', statement: `select api.submit_command($1, ${placeOrder}) as answer`, values: own(commandId) },
  { as: 'worker', statement: `select intent.load_command($1, '${commandId}', '{}')`, values: tenant },
  { as: 'worker', statement: `select * from intent.append_events($1, 'order', '${orderId}', 0, ${placed}, '${commandId}')`, values: tenant },
  { as: 'worker', statement: `select * from intent.append_events($1, 'order', '${orderId}', 0, ${placed}, '${commandId}')`, values: tenant },
  { as: 'worker', statement: `select * from intent.append_events($1, 'order', '${orderId}', 0, ${placed})`, values: tenant },
  { as: 'worker', statement: `select intent.append_or_catch_up($1, 'budget', 'groceries', 0, ${opened}, null)`, values: tenant },
  { as: 'worker', statement: `select intent.append_or_catch_up($1, 'budget', 'groceries', 0, ${opened}, null)`, values: tenant },
  {
    as: 'worker',
    statement: `select intent.append_events($1, 'note', $2, 0, ${events('NoteTaken', {})})`,
    values: (household) => [...tenant(household), ...own('mine')(household)],
  },
  { as: 'worker', statement: `select intent.save_snapshot($1, 'order', '${orderId}', 1, 1, '{"status": "placed"}')`, values: tenant },
  { as: 'worker', statement: `select intent.reject_command($1, '${rejectedId}', 'NOT_ALLOWED', 'No.', '{}')`, values: tenant },
  { as: 'worker', statement: `select intent.fail_command($1, '${failedId}', '{"message": "broken"}')`, values: tenant },
  { as: 'worker', statement: `select intent.reject_command($1, '${nowhere}', 'NOT_ALLOWED', 'No.', '{}')`, values: tenant },
  { as: 'worker', statement: `select intent.load_aggregate($1, 'order', '${orderId}', 1)`, values: tenant },
  // Of each other's people: told alike, whether or not there are such.
  { as: 'owner', statement: `select api.change_role('${thorn.member}', 'guest')` },
  { as: 'owner', statement: `select api.change_role('${rose.member}', 'guest')` },
  { as: 'owner', statement: `select api.remove_member('${nowhere}')` },
  { as: 'owner', statement: `select api.invite_member('${nowhere}', 'guest')` },
  { as: 'owner', statement: `select api.accept_invitation('${thorn.tenantId}')` },
  { as: 'member', statement: `select api.switch_tenant('${thorn.tenantId}')` },
  { as: 'member', statement: `select api.switch_tenant('${nowhere}')` },
  { as: 'member', statement: `select api.switch_tenant($1)`, values: tenant },
];

const readable = ['budgets', 'commands', 'events', 'memberships', 'orders', 'schedules', 'snapshots', 'tenants'];
const asked = [
  `select api.hydrate('order', '${orderId}')`,
  `select api.hydrate('note', '${thornsId}')`,
  `select api.hydrate('budget', 'groceries', 7)`,
  'select api.read_feed(0)',
  'select api.read_feed(1, 1)',
  'select api.read_feed(9)',
  ...[commandId, rejectedId, failedId, thornsId, nowhere].map((id) => `select api.get_command('${id}')`),
  'select * from api.orders',
  'select * from api.budgets',
  'select * from api.schedules',
  'select * from api.membership_log order by at',
  'select api.my_tenants(), api.members(), api.my_invitations()',
  ...readable.map((table) => `select * from intent.${table} as t order by t::text`),
  // Without costs: they come of the table's size, which is that of all tenants together. People get no plan (pitfall 23).
  ...['orders', 'budgets', 'membership_log'].map((view) => `explain (costs off) select * from api.${view}`),
];

/** All that there is to ask, as each of the people. */
export const looks: readonly Call[] = asked.flatMap((statement): Call[] => [
  { as: 'owner', statement },
  { as: 'member', statement },
]);
