import type { Client } from 'pg';
import { setPassword } from '../local/login-roles.ts';
import { prepareDatabase } from '../local/prepare-database.ts';
import { StackError } from '../local/stack-error.ts';
import { isGuessable } from '../main/database-url.ts';
import { requireDatabaseUrl } from './require-database-url.ts';

/** The roles that our migrations create, and where their passwords come from. */
const passwordVariables = {
  intent_pump: 'INTENT_PUMP_PASSWORD',
  intent_worker: 'INTENT_WORKER_PASSWORD',
  intent_operator: 'INTENT_OPERATOR_PASSWORD',
} as const;

type OwnRole = keyof typeof passwordVariables;

/** Migrates the database of DATABASE_URL. Returns the exit code. Throws `StackError` for what a person can mend. */
export async function migrate(): Promise<number> {
  if (process.env['NODE_ENV'] === 'production') refuseGuessablePasswords();
  await prepareDatabase({
    adminUrl: requireDatabaseUrl(),
    upTo: 'committed',
    log: console.log,
    async finish(client, rolesBefore) {
      for (const role of Object.keys(passwordVariables) as OwnRole[]) {
        console.log(rolesBefore.has(role) ? `Role ${role} was there: password unchanged.` : await givePassword(client, role));
      }
    },
  });
  return 0;
}

/** Before anything changes: a later migration would leave such a password as it is. */
function refuseGuessablePasswords(): void {
  const guessable = Object.entries(passwordVariables).flatMap(([role, variable]) => {
    const password = process.env[variable];
    return password && isGuessable(role, password) ? [variable] : [];
  });
  if (guessable.length === 0) return;
  throw new StackError(`${guessable.join(', ')}: everybody can guess it.`, 'Choose one at random: openssl rand -hex 24');
}

async function givePassword(client: Client, role: OwnRole): Promise<string> {
  const variable = passwordVariables[role];
  const password = process.env[variable];
  if (!password) return `Role ${role} is new and has no password (${variable} is not set): it cannot log in yet.`;
  await setPassword(client, role, password);
  return `Role ${role} is new: password from ${variable}.`;
}
