import { beforeAll, describe, expect, inject, test } from 'vitest';
import { playWalkthrough } from '../../examples/walkthrough.ts';
import { isInstalled } from './is-installed.ts';
import { needs } from './needs.ts';
import { guideSteps, playGuide } from './psql-guide.ts';
import { readFromRoot } from './tracked-files.ts';

const stack = inject('stack');
const steps = guideSteps(readFromRoot('docs/psql.md'));

describe('docs/psql.md', () => {
  test('shows what an operator can ask, each with its output', () => {
    const shown = steps.map(({ statements }) => statements).join('');
    for (const name of ['doctor', 'stream', 'tenant_feed', 'command_trace', 'backlog', 'dead_letters', 'retry_command']) {
      expect(shown).toContain(`intent.${name}`);
    }
    expect(steps.filter(({ printed }) => printed.trim() === '')).toEqual([]);
  });

  describe('under psql', needs(isInstalled('psql'), 'psql is not installed'), () => {
    let outputs: string[];
    beforeAll(async () => {
      await playWalkthrough(stack, () => {});
      outputs = await playGuide(steps, stack.databaseUrl);
    });

    // Other tests use the same tenant at the same time: the rows differ.
    test('prints tables with the columns that it shows', () => {
      expect(outputs.map(headsOf)).toEqual(steps.map(({ printed }) => headsOf(printed)));
      expect(outputs.flatMap(headsOf).length).toBeGreaterThan(steps.length);
    });

    test('finds that all is well', () => {
      expect(outputs[0]).toContain('(0 rows)');
    });
  });
});

/** The line above each line of dashes, whatever the widths of its columns. */
function headsOf(output: string): string[] {
  const lines = output.split('\n');
  return lines.filter((_, index) => /^-[-+]+$/.test(lines[index + 1] ?? '')).map((head) => head.replaceAll(/\s+/g, ' ').trim());
}
