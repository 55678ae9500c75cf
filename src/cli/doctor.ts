import { connectToDatabase } from '../local/connect-to-database.ts';
import { requireServedServer, requireWritable } from '../local/served-server.ts';
import { StackError } from '../local/stack-error.ts';
import { requireDatabaseUrl } from './require-database-url.ts';

interface Finding {
  readonly problem: string;
  readonly object: string;
  readonly detail: string;
  readonly remedy: string;
}

const notExamined =
  'Not examined: whether each member is still a user of Auth. This login may not read auth.users; the administrator of the project may.';

function memberWithoutUser(userId: string): Finding {
  return {
    problem: 'member without a user',
    object: userId,
    detail: 'Auth does not know this user any more, and its memberships are still there',
    remedy: `select intent.remove_user('${userId}');`,
  };
}

const undefinedFunction = '42883';
const undefinedSchema = '3F000';

/**
 * Asks `intent.doctor()` in the database of DATABASE_URL, an operator's or an administrator's, and prints what it finds.
 * Returns the exit code: 1 if something is out of order. Throws `StackError` for what a person can mend.
 */
export async function doctor(): Promise<number> {
  const client = await connectToDatabase(requireDatabaseUrl());
  try {
    await requireServedServer(client);
    // Or it could not record that it was asked, and would find nothing of what these settings of the database keep others from.
    await client.query('set default_transaction_read_only = off; set row_security = on');
    await requireWritable(client);
    const { rows: findings } = await client.query<Finding>('select problem, object, detail, remedy from intent.doctor()');
    const { rows: asked } = await client.query<{ members: string[] | null }>('select intent.members_without_user() as members');
    const strangers = asked[0]!.members;
    const rows = [...findings, ...(strangers ?? []).map(memberWithoutUser)];
    if (strangers === null) console.log(notExamined);
    for (const { problem, object, detail, remedy } of rows) {
      console.log(`${problem}: ${object}\n  ${detail}\n  What to do: ${remedy}`);
    }
    console.log(rows.length === 0 ? 'All is well.' : `${rows.length} found.`);
    return rows.length === 0 ? 0 : 1;
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code !== undefinedFunction && code !== undefinedSchema) throw cause;
    throw new StackError('There is no doctor in this database.', 'Migrate it first: npm run db:migrate, or in a container the service `migrate` of docker-compose.yml.', { cause });
  } finally {
    await client.end();
  }
}
