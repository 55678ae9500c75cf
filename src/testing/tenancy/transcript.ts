import type pg from 'pg';
import { claimsIn, type Household } from './households.ts';

/** Something that is asked for a household: as one of its people, or by the worker. */
export interface Call {
  readonly as: 'owner' | 'member' | 'worker';
  readonly statement: string;
  readonly values?: (household: Household) => readonly unknown[];
}

/** Makes the call, in a transaction of its own, and writes down every byte of the answer or of the error, but for the clock's. */
export async function transcribe(admin: pg.ClientBase, { as, statement, values }: Call, household: Household): Promise<string> {
  const answer = await answerTo(admin, as, household, statement, values?.(household) ?? []);
  return `${as}: ${statement}\n${JSON.stringify(answer).replaceAll(moment, '<time>')}`;
}

const moment = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00(:00)?)?|(?<="\w+MsAgo":)[\d.]+/g;

async function answerTo(admin: pg.ClientBase, as: Call['as'], household: Household, statement: string, values: readonly unknown[]) {
  await admin.query('begin');
  try {
    if (as === 'worker') {
      await admin.query('set local session authorization intent_worker');
    } else {
      const claims = JSON.stringify(claimsIn(household, household[as]));
      await admin.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [claims]);
    }
    const { rows, rowCount } = await admin.query<Record<string, unknown>>(statement, [...values]);
    await admin.query('commit');
    return { rows, rowCount };
  } catch (error) {
    await admin.query('rollback');
    const { code, message, detail, hint } = error as pg.DatabaseError;
    return { code, message, detail, hint };
  }
}
