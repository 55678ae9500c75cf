// Row-level security, tried tenant by tenant on the data that is there: `npm run test:rls -- --help`.
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { connectToDatabase } from '../src/local/connect-to-database.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { intentDirectory } from '../src/local/paths.ts';
import { StackError } from '../src/local/stack-error.ts';
import { readStackInfo } from '../src/local/stack-info.ts';
import { asTable, leaksOf } from '../src/testing/tenancy/shown-rows-table.ts';
import { rowsShownIn } from '../src/testing/tenancy/shown-rows.ts';

const help = `Usage: npm run test:rls -- [--tenant <id>]

Asks the database, as each member of the tenant and as a stranger who claims it, how many rows every table and view shows, and
compares with what the tenant has. Prints a table for each tenant, and ends with 1 where somebody is shown a row that it must not
see. Everything happens in transactions that are rolled back.

  --tenant <id>   This tenant only. (Default: all tenants of the database)
  --help          This text.

The database is that of DATABASE_URL, an administrator's, else that of the running \`npm start\`.
`;

/** Returns the exit code. */
async function testRls(tenantId: string | undefined): Promise<number> {
  const url = process.env['DATABASE_URL'] || readStackInfo(intentDirectory())?.databaseUrl;
  if (url === undefined) {
    throw new StackError('There is no database to test.', 'Set DATABASE_URL, or run `npm start` in another terminal.');
  }
  const admin = await connectToDatabase(url);
  try {
    await requireAdministrator(admin);
    const leaks: string[] = [];
    for (const { id, name } of await tenantsOf(admin, tenantId)) {
      const shown = await rowsShownIn(admin, id);
      console.log(`\nTenant ${name} (${id})\n${asTable(shown)}`);
      leaks.push(...leaksOf(shown));
    }
    console.log(leaks.length === 0 ? '\nNobody is shown a row that it must not see.' : `\n${leaks.join('\n')}`);
    return leaks.length === 0 ? 0 : 1;
  } finally {
    await admin.end();
  }
}

/** Whom policies bind cannot tell what is there. */
async function requireAdministrator(admin: pg.ClientBase): Promise<void> {
  const { rows } = await admin.query(`select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)`);
  if (rows.length === 0) throw new StackError('This login does not see all rows.', "Set DATABASE_URL to an administrator's.");
}

async function tenantsOf(admin: pg.ClientBase, tenantId: string | undefined): Promise<{ id: string; name: string }[]> {
  const { rows } = await admin.query<{ id: string; name: string }>(
    'select tenant_id as id, name from intent.tenants where $1::text is null or tenant_id::text = $1 order by name, tenant_id',
    [tenantId],
  );
  if (rows.length === 0) throw new StackError('There is no such tenant.', 'Leave --tenant out to see all of them.');
  return rows;
}

function parse() {
  try {
    return parseArgs({ options: { tenant: { type: 'string' }, help: { type: 'boolean', default: false, short: 'h' } } }).values;
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

const options = parse();
if (options === undefined || options.help) {
  console.log(help);
  process.exitCode = options === undefined ? 2 : 0;
} else {
  await endWithWords(() => testRls(options.tenant));
}
