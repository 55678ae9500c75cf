import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../local/paths.ts';

/** SQL with the fixtures that it includes, as graphile-migrate puts it together. */
export function withIncludes(text: string): string {
  return text.replaceAll(/^--!include (.+)$/gm, (_, file: string) => withIncludes(readFileSync(join(projectRoot, 'sql', 'fixtures', file), 'utf8')));
}
