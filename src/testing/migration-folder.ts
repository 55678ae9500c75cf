import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../local/paths.ts';

export const graphileMigrate = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');

export interface MigrationFolder {
  /** Where to run graphile-migrate: it holds the `.gmrc`. */
  readonly path: string;
  /** The text of `.gmrc`. */
  readonly gmrc: string;
  read(file: string): string;
  write(file: string, text: string): void;
  remove(): void;
}

/** A copy of `.gmrc` and of these parts of `sql/`, to change. Paths are below `sql/`. */
export function createMigrationFolder(parts: readonly string[]): MigrationFolder {
  const path = mkdtempSync(join(tmpdir(), 'intent-migrations-'));
  cpSync(join(projectRoot, '.gmrc'), join(path, '.gmrc'));
  for (const part of parts) cpSync(join(projectRoot, 'sql', part), join(path, 'sql', part), { recursive: true });
  return {
    path,
    gmrc: readFileSync(join(path, '.gmrc'), 'utf8'),
    read: (file) => readFileSync(join(path, 'sql', file), 'utf8'),
    write: (file, text) => writeFileSync(join(path, 'sql', file), text),
    remove: () => rmSync(path, { recursive: true }),
  };
}
