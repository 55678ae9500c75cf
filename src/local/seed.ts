import type { ClientBase } from 'pg';
import { createUser } from './gateway/seed-user.ts';
import type { Secrets } from './secrets.ts';
import type { StackInfo } from './stack-info.ts';

type User = StackInfo['users'][number];

const rose = { tenantId: '0197a000-0000-7000-8000-000000000001', name: 'Rose', isolation: 'shared' };
const thorn = { tenantId: '0197a000-0000-7000-8000-000000000002', name: 'Thorn', isolation: 'dedicated' };

const people = [
  { email: 'alice@rose.example', memberships: [{ ...rose, role: 'owner' }, { ...thorn, role: 'guest' }] },
  { email: 'bob@rose.example', memberships: [{ ...rose, role: 'member' }] },
  { email: 'carol@rose.example', memberships: [{ ...rose, role: 'guest' }] },
  { email: 'dave@thorn.example', memberships: [{ ...thorn, role: 'owner' }] },
  { email: 'erin@thorn.example', memberships: [{ ...thorn, role: 'member' }] },
] as const;

/** Two households and their members, who all sign in with the demo password. Repeatable: what is there stays as it is. */
export async function seedExample(client: ClientBase, { demoPassword: password }: Secrets): Promise<User[]> {
  for (const { tenantId, name, isolation } of [rose, thorn]) {
    await client.query('select intent.create_tenant($1, $2, $3)', [tenantId, name, isolation]);
    // The local gateway is no project that others share.
    await client.query('update intent.tenants set hints_per_second = null where tenant_id = $1', [tenantId]);
  }
  const users: User[] = [];
  for (const { email, memberships } of people) {
    const userId = await createUser(client, { email, password });
    for (const { tenantId, role } of memberships) {
      await client.query('select intent.add_member($1, $2, $3)', [tenantId, userId, role]);
    }
    users.push({ email, password, tenants: memberships.map(({ tenantId, name, role }) => ({ tenantId, name, role })) });
  }
  return users;
}
