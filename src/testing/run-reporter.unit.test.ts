import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';
import { runProgram } from '../local/process/run-program.ts';

// A run of a small project, as a CI sees it: without a terminal.
let output: string;
beforeAll(async () => {
  const directory = mkdtempSync(join(projectRoot, 'node_modules', '.reporter-test-'));
  writeFileSync(join(directory, 'a.test.ts'), `
    import { describe, test } from 'vitest';
    import { needs } from '${projectRoot}/src/testing/needs.ts';
    test('runs', needs(true, 'never said'), () => {});
    test('alone', needs(undefined, 'there is no zebra'), () => {});
    describe('many', needs(false, 'there is no okapi'), () => {
      test('one', () => {});
      test('other', () => {});
    });`);
  writeFileSync(join(directory, 'b.test.ts'), `import { test } from 'vitest'; test('runs too', () => {});`);
  const reporters = ['--reporter=default', `--reporter=${projectRoot}/src/testing/run-reporter.ts`];
  const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(directory, 'vitest.config.mjs');
  writeFileSync(config, `export default { test: { include: ['*.test.ts'] } };`);
  ({ output } = await runProgram(process.execPath, [vitest, 'run', '--root', directory, '--config', config, ...reporters], {
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  }));
  rmSync(directory, { recursive: true });
});

test('a run says how far it is', () => {
  expect(output).toMatch(/Progress: 2 of 2 files, 5 tests, 0 failed, 3 left out, \d+ s/);
});

test('a run ends with what was left out, and why', () => {
  expect(output).toContain('Left out:\n     2  there is no okapi\n     1  there is no zebra');
  expect(output).not.toContain('never said');
});
