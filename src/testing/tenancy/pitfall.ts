import pg from 'pg';
import type { RowsByTable } from './foreign-rows.ts';
import { foreignRows } from './foreign-rows.ts';
import { thorn } from './households.ts';
import { rolledBack } from './rolled-back.ts';

/** A database role, or a person by the claims of its token. */
export type Actor = 'administrator' | 'anon' | 'service_role' | `intent_${string}` | { readonly claims: object | string };

/** One of the 34 ways in which SQL gives a tenant's rows away, tried on real rows. */
export interface Pitfall {
  readonly number: number;
  readonly name: string;
  /** What is there already, made by the administrator. */
  readonly given?: string;
  /** Who does what. All but the last succeed; the last one's outcome counts. */
  readonly attempt: readonly (readonly [Actor, string])[];
  /** The code of an error, or how many rows came or were touched; and the tables in which rows of others are not what they were. */
  readonly guarded: string;
  /** The administrator takes the guard away … */
  readonly unguard: string;
  /** … and this comes of the same attempt: so we know that it would have succeeded. */
  readonly unguarded: string;
}

/** Makes the attempt in a transaction that is rolled back, with the guard or without it, and returns what came of it. */
export async function play(admin: pg.Client, { given = '', attempt, unguard }: Pitfall, isGuarded: boolean): Promise<string> {
  return rolledBack(admin, async () => {
    await admin.query(given);
    if (!isGuarded) await admin.query(unguard);
    const before = await foreignRows(admin, thorn.tenantId);
    await admin.query('savepoint attempt');
    const outcome = await outcomeOf(admin, attempt);
    await become(admin, 'administrator');
    return [outcome, ...changes(before, await foreignRows(admin, thorn.tenantId))].join(', ');
  });
}

async function outcomeOf(admin: pg.Client, attempt: Pitfall['attempt']): Promise<string> {
  for (const [actor, statement] of attempt.slice(0, -1)) {
    await become(admin, actor);
    await admin.query(statement);
  }
  const [actor, statement] = attempt.at(-1)!;
  await become(admin, actor);
  try {
    const { rowCount } = await admin.query(statement);
    return `${rowCount ?? 0} rows`;
  } catch (error) {
    await admin.query('rollback to attempt');
    return (error as pg.DatabaseError).code!;
  }
}

async function become(admin: pg.Client, actor: Actor): Promise<void> {
  await admin.query('reset session authorization; reset role');
  if (actor === 'administrator') {
    await admin.query('reset all');
  } else if (typeof actor === 'string') {
    // More than `set role`: the role may then become only what its login may.
    await admin.query(`set local session authorization ${pg.escapeIdentifier(actor)}`);
  } else {
    const claims = typeof actor.claims === 'string' ? actor.claims : JSON.stringify(actor.claims);
    await admin.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [claims]);
  }
}

function changes(before: RowsByTable, after: RowsByTable): string[] {
  return Object.keys(before).filter((table) => before[table] !== after[table]).map((table) => `changed ${table}`);
}

/** A function of ours without a part of its text. */
export function without(signature: string, part: string, instead = ''): string {
  const [ofFunction, from, to] = [signature, part, instead].map(pg.escapeLiteral);
  return `do $do$ begin execute replace(pg_get_functiondef(${ofFunction}::regprocedure), ${from}, ${to}); end $do$;`;
}
