/** `npm run generate` writes what is generated from the domain; with `-- --check` it only says what is out of date. */
import { findDrift, writeGeneratedFiles } from './generated-files.ts';

if (process.argv.includes('--check')) {
  const stale = await findDrift();
  for (const path of stale) console.error(`${path} differs from src/domain: run \`npm run generate\` and commit the result.`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  const written = await writeGeneratedFiles();
  console.log(written.length > 0 ? written.map((path) => `wrote ${path}`).join('\n') : 'everything is up to date');
}
