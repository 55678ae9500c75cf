import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/local/paths.ts';
import { withIncludes } from '../../src/testing/with-includes.ts';

const sql = join(projectRoot, 'sql');

/**
 * What the run's database was brought to last: the current migration if something is being written, else the newest committed one.
 * Behaviour is replaced as a whole, so it may be run again on a database that has it.
 */
export function newestMigration(): string {
  const current = withIncludes(readFileSync(join(sql, 'current', '1-current.sql'), 'utf8'));
  if (/^\s*(?!--)(?!set local)\S/m.test(current)) return current;
  const newest = readdirSync(join(sql, 'committed')).filter((file) => file.endsWith('.sql')).toSorted().at(-1)!;
  return readFileSync(join(sql, 'committed', newest), 'utf8');
}
