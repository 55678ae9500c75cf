import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/local/paths.ts';

/** Behaviour is replaced as a whole, so the newest of the committed migrations may be run again on a database that has it. */
export function newestMigration(): string {
  const directory = join(projectRoot, 'sql', 'committed');
  const newest = readdirSync(directory).filter((file) => file.endsWith('.sql')).toSorted().at(-1)!;
  return readFileSync(join(directory, newest), 'utf8');
}
