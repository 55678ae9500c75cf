import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot } from '../../local/paths.ts';

/** The files of tests that take a Temporal server and leave it running: they can take the one that there is. */
export function testsOnTemporal(): string[] {
  const source = join(projectRoot, 'src');
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.int.test.ts'))
    .map((name) => join(source, name))
    .filter((file) => {
      const text = readFileSync(file, 'utf8');
      // What reads the calls on their way cannot stand between a client and TLS.
      return /\bstartTestTemporal\(\)|\bisOnCluster\b/.test(text) && !text.includes('startGrpcProxy');
    })
    .map((file) => relative(projectRoot, file))
    .toSorted();
}
