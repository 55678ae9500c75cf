import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../local/paths.ts';

/** All that an empty database gets: tables first, then functions, policies and the rest. */
export const stateIncludes = '--!include state.sql\n--!include app/state.sql\n';
export const behaviourIncludes = '--!include behaviour.sql\n--!include app/behaviour.sql\n';

/** SQL with the fixtures that it includes, as graphile-migrate puts it together. */
export function withIncludes(text: string): string {
  return text.replaceAll(/^--!include (.+)$/gm, (_, file: string) => withIncludes(readFileSync(join(projectRoot, 'sql', 'fixtures', file), 'utf8')));
}
