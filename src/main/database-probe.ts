import type { Pool } from 'pg';
import { type calledFunctions, problemsOfSession } from '../adapters/postgres/session-problems.ts';
import { Lack, type Probe } from './readiness.ts';

/** Whether the database answers, and lets this role do its work. */
export function createDatabaseProbe(pool: Pool, role: keyof typeof calledFunctions): Probe {
  return async () => {
    const problems = await problemsOfSession(pool, role);
    if (problems.length > 0) throw new Lack(problems.join('; '));
  };
}
