import type { Evidence } from './evidence.ts';
import { commandKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** E: nothing crosses tenants. Ids of commands and orders are unique over all tenants of a run, so each has one home. */
export function checkTenants({ tenants, submissions, commands, events, orders, followers }: Evidence): Violation[] {
  const homeOfCommand = new Map(submissions.map(({ commandId, tenantId }) => [commandId, tenantId]));
  const homeOfUser = new Map(tenants.flatMap(({ tenantId, userIds }) => userIds.map((userId) => [userId, tenantId] as const)));
  const isForeign = (home: string | undefined, tenantId: string) => home !== undefined && home !== tenantId;
  const isForeignUser = ({ actorUserId, tenantId }: { readonly actorUserId: string | null; readonly tenantId: string }) =>
    actorUserId !== null && homeOfUser.get(actorUserId) !== tenantId;
  const known = new Set(commands.map(commandKey));

  return [
    ...commands
      .filter(({ commandId, tenantId }) => isForeign(homeOfCommand.get(commandId), tenantId))
      .map((row) => violation('E', 'foreign command', commandKey(row))),
    ...commands
      .filter(isForeignUser)
      .map((row) => violation('E', 'foreign sender', commandKey(row))),
    ...events
      .filter((event) => !known.has(commandKey(event)) || isForeignUser(event))
      .map(({ tenantId, position }) => violation('E', 'foreign event', `${tenantId} at position ${position}`)),
    ...orders
      .filter(({ placedBy, tenantId }) => homeOfUser.get(placedBy) !== tenantId)
      .map(({ tenantId, orderId }) => violation('E', 'foreign row', `order ${orderId} in ${tenantId}`)),
    ...followers.flatMap(({ name, tenantId, applied }) =>
      applied
        .filter((event) => event.tenantId !== tenantId || isForeign(homeOfCommand.get(event.commandId ?? ''), tenantId))
        .map(({ position }) => violation('E', 'foreign event at a client', `${name} at position ${position}`)),
    ),
  ];
}
