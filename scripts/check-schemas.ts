/**
 * `npm run check:schemas` says where this release could not read what older ones have written, and what to do; with `-- --write`
 * it first adds the golden file of each message's new schema version.
 */
import { slices } from '../src/domain/registry.ts';
import { readGolden, writeGolden } from './golden-files.ts';
import { findProblems, goldenNow } from './schema-gate.ts';

if (process.argv.includes('--write')) {
  for (const slice of slices) {
    const written = readGolden(slice);
    for (const now of goldenNow(slice)) {
      if (!written.some(({ type, version }) => type === now.type && version === now.version)) writeGolden(slice, now);
    }
  }
}
const problems = slices.flatMap((slice) => findProblems(slice, readGolden(slice)).map((problem) => `${slice.aggregateType}: ${problem}`));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
