import type { Role } from '../../domain/kernel/message.ts';

interface Member {
  readonly role: Role;
  readonly status: 'active' | 'invited' | 'removed';
}

/** A tenant as its rules are most simply said. Users, commands and orders are small numbers. */
export interface Household {
  readonly members: ReadonlyMap<number, Member>;
  readonly commands: ReadonlyMap<number, { readonly by: number; readonly order: number; readonly isSettled: boolean }>;
  /** The order of each event. */
  readonly events: readonly number[];
}

/** What a user tries with a claimed tenant, or what worker and operator do for a tenant. */
export type Step = { readonly user: number; readonly tenant: number } & (
  | { readonly does: 'look' | 'switch' | 'accept' | 'settle' }
  | { readonly does: 'submit'; readonly command: number; readonly order: number }
  | { readonly does: 'add' | 'invite' | 'changeRole'; readonly target: number; readonly role: Role }
  | { readonly does: 'remove'; readonly target: number }
);

export type Outcome = 'done' | 'IN403' | 'IN409' | 'IN422';
type Result = readonly [Household, Outcome];

export function isActive({ members }: Household, user: number): boolean {
  return members.get(user)?.status === 'active';
}

export function isOwner(household: Household, user: number): boolean {
  return isActive(household, user) && household.members.get(user)?.role === 'owner';
}

/** The household after the step, and what the one who took it is told. */
export function take(household: Household, step: Step): Result {
  const { user } = step;
  switch (step.does) {
    case 'look':
      return [household, 'done'];
    case 'switch':
      return [household, isActive(household, user) ? 'done' : 'IN403'];
    case 'settle':
      return [settleOldest(household), 'done'];
    case 'submit':
      return submit(household, user, step);
    case 'add':
      return change(household, step.target, { role: step.role, status: 'active' });
    case 'invite':
      if (!isOwner(household, user)) return [household, 'IN403'];
      if (isActive(household, step.target)) return [household, 'IN422'];
      return change(household, step.target, { role: step.role, status: 'invited' });
    case 'accept': {
      const member = household.members.get(user);
      return member?.status === 'invited' ? change(household, user, { ...member, status: 'active' }) : [household, 'IN403'];
    }
    case 'changeRole':
      if (!isOwner(household, user)) return [household, 'IN403'];
      if (!isActive(household, step.target)) return [household, 'IN422'];
      return change(household, step.target, { role: step.role, status: 'active' });
    case 'remove':
      return remove(household, user, step.target);
    default:
      return step satisfies never;
  }
}

/** A tenant keeps its last owner. */
function change(household: Household, user: number, member: Member): Result {
  const after = { ...household, members: new Map(household.members).set(user, member) };
  const hasOwner = [...after.members.keys()].some((other) => isOwner(after, other));
  return isOwner(household, user) && !hasOwner ? [household, 'IN422'] : [after, 'done'];
}

/** Everybody itself, while it is a member; an owner anybody. */
function remove(household: Household, user: number, target: number): Result {
  const isItself = user === target;
  if (!isItself && !isOwner(household, user)) return [household, 'IN403'];
  const member = household.members.get(target);
  const isThere = member !== undefined && (isItself ? member.status === 'active' : member.status !== 'removed');
  return isThere ? change(household, target, { ...member, status: 'removed' }) : [household, 'IN422'];
}

function submit(household: Household, by: number, { command, order }: { command: number; order: number }): Result {
  if (!isActive(household, by)) return [household, 'IN403'];
  const first = household.commands.get(command);
  if (first !== undefined) return [household, first.by === by && first.order === order ? 'done' : 'IN409'];
  return [{ ...household, commands: new Map(household.commands).set(command, { by, order, isSettled: false }) }, 'done'];
}

export function oldestOpen({ commands }: Household): number | undefined {
  return [...commands].find(([, { isSettled }]) => !isSettled)?.[0];
}

function settleOldest(household: Household): Household {
  const oldest = oldestOpen(household);
  if (oldest === undefined) return household;
  const command = { ...household.commands.get(oldest)!, isSettled: true };
  return { ...household, commands: new Map(household.commands).set(oldest, command), events: [...household.events, command.order] };
}

const nothing = { tenants: 0, events: 0, feed: 0, orders: 0, versions: [0, 0, 0], commands: [], asked: [], members: 0 };

/** All that a user is shown who claims the tenant. */
export function viewOf(household: Household, user: number) {
  const { members, commands, events } = household;
  if (!isActive(household, user)) return nothing;
  const owner = isOwner(household, user);
  const seen = [...commands].filter(([, { by }]) => owner || by === user).map(([command]) => command).toSorted((a, b) => a - b);
  return {
    tenants: 1,
    events: events.length,
    feed: events.length,
    orders: new Set(events).size,
    versions: [0, 1, 2].map((order) => events.filter((other) => other === order).length),
    commands: seen,
    asked: seen,
    members: [...members.values()].filter(({ status }) => status === 'active' || (owner && status === 'invited')).length,
  };
}
