// `npm run docs:psql`: writes the output in docs/psql.md anew, from a running `npm start` that has played the example.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithWords } from '../src/local/end-with-words.ts';
import { intentDirectory, projectRoot } from '../src/local/paths.ts';
import { requireStackInfo } from '../src/local/stack-info.ts';
import { guideSteps, playGuide, withOutput } from '../src/testing/psql-guide.ts';

await endWithWords(async () => {
  const { databaseUrl } = requireStackInfo(intentDirectory());
  const path = join(projectRoot, 'docs/psql.md');
  const guide = readFileSync(path, 'utf8');
  writeFileSync(path, withOutput(guide, await playGuide(guideSteps(guide), databaseUrl)));
  return 0;
});
