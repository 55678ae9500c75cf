import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchmarks } from './benchmarks.ts';

const script = join(import.meta.dirname, 'run.ts');

describe('npm run bench', () => {
  it('lists every benchmark in its help, with what it measures', () => {
    const help = execFileSync(process.execPath, [script, '--help'], { encoding: 'utf8' });
    expect(benchmarks.size).toBeGreaterThan(5);
    for (const [name, { about }] of benchmarks) expect(help).toContain(`\n  ${name.padEnd(13)} ${about}\n`);
  });

  it('refuses a name that it does not know, before it starts anything', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'append', 'apend'], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('There is no benchmark apend.');
  });
});
