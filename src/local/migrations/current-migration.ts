import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A statement, or fixtures that bring some; what every migration begins with is none. */
const statement = /^(?!\s*(?:--(?!!include)|set local (?:lock|statement)_timeout\b))\s*\S/m;

/** Whether anything is being written in `sql/current/`. Asked before graphile-migrate's `watch`, which writes a blank file if there is none. */
export function hasCurrentMigration(sqlDirectory: string): boolean {
  const folder = join(sqlDirectory, 'current');
  if (!existsSync(folder)) return false;
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return files.some((file) => statement.test(readFileSync(join(folder, file), 'utf8')));
}
