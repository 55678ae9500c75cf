import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';
import { isInstalled } from './is-installed.ts';
import { codeBlocks, section } from './markdown.ts';
import { needs } from './needs.ts';
import { readFromRoot } from './tracked-files.ts';

// What README.md tells a reader to type beside `npm start`, on the stack of this run instead of the one in `.intent/`.

const tryIt = section(readFromRoot('README.md'), 'Try it');
const hasCurl = isInstalled('curl');
const hasPsql = isInstalled('psql');

let directory: string;
let stackFile: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-documents-'));
  stackFile = join(directory, 'stack.json');
  await writeFile(stackFile, JSON.stringify(inject('stack')), { mode: 0o600 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the commands of README.md, "Try it"', () => {
  test('are the ones that the tests below run', () => {
    expect(codeBlocks(tryIt, 'sh')).toEqual([shellBlock('npm run example'), shellBlock('curl '), shellBlock('psql ')]);
    expect(codeBlocks(tryIt, 'sql')).toHaveLength(1);
  });

  test('play the example to its last step', async () => {
    const output = await run(shellBlock('npm run example').replace('npm run example', `npm run example -- ${stackFile}`));
    expect(output).toMatch(/bob +sees it live, in another client +(placed, version 1|confirmed, version 2)/);
    expect(output).toMatch(/dave +looks for alice's order +nothing is there/);
  });

  test('place an order with curl, and read it from the read model', needs(hasCurl, 'curl is not installed'), async () => {
    const [result, orders] = (await run(shellBlock('curl '))).trim().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(result).toMatchObject({ status: 'succeeded', duplicate: false, outcome: { aggregateType: 'order', lastVersion: 1 } });
    const { aggregateId } = (result as { outcome: { aggregateId: string } }).outcome;
    expect(orders).toEqual([expect.objectContaining({ order_id: aggregateId, status: expect.stringMatching(/^(placed|rejected)$/) as string, total: 700 })]);
  });

  test('look into the database with psql', needs(hasPsql, 'psql is not installed'), async () => {
    const [statements] = codeBlocks(tryIt, 'sql');
    const output = await run(shellBlock('psql '), `\\set ON_ERROR_STOP on\n${statements}`);
    expect(output).toContain('oldest_submitted_at');
    expect(output).toContain('recorded_at');
    expect(output).toContain("The event's place in its tenant's history");
  });
});

function shellBlock(containing: string): string {
  const block = codeBlocks(tryIt, 'sh').find((code) => code.includes(containing));
  if (block === undefined) throw new Error(`README.md has no shell commands with "${containing}" to try.`);
  return block;
}

/** Returns what the commands print. Throws if one of them fails. */
async function run(commands: string, input = ''): Promise<string> {
  const onThisStack = commands.replaceAll('./.intent/stack.json', stackFile);
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', onThisStack], { cwd: projectRoot });
  running.child.stdin!.end(input);
  return (await running).stdout;
}
