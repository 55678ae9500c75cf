import type pg from 'pg';
import type { CensusRule } from './census-rule.ts';
import { functionRules } from './function-rules.ts';
import { roleRules } from './role-rules.ts';
import { tableRules } from './table-rules.ts';

export const censusRules: readonly CensusRule[] = [...tableRules, ...functionRules, ...roleRules];

/** What breaks the rule, each with what to do; empty if nothing does. */
export async function violationsOf({ rule, remedy, violations }: CensusRule, client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(violations);
  return rows.map(({ name }) => `${name}: ${rule}. ${remedy}`);
}

/** What breaks any of the rules. */
export async function takeCensus(client: pg.ClientBase): Promise<string[]> {
  const found: string[] = [];
  for (const rule of censusRules) found.push(...(await violationsOf(rule, client)));
  return found;
}
