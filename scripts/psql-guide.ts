// Writes the output in docs/psql.md anew, from a running `npm start` that has played the example.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { intentDirectory, projectRoot } from '../src/local/paths.ts';
import { readStackInfo } from '../src/local/stack-info.ts';
import { guideSteps, playGuide, withOutput } from '../src/testing/psql-guide.ts';

const stack = readStackInfo(intentDirectory());
if (stack === undefined) throw new Error('No stack is ready: run `npm start` in another terminal.');
const path = join(projectRoot, 'docs/psql.md');
const guide = readFileSync(path, 'utf8');
writeFileSync(path, withOutput(guide, await playGuide(guideSteps(guide), stack.databaseUrl)));
