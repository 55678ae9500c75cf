import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, inject, it } from 'vitest';

const { apiUrl, publishableKey, users } = inject('stack');
const alice = users.find(({ email }) => email.startsWith('alice@'))!;

async function firstCommand(password: string): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['examples/first-command.ts', apiUrl, publishableKey, alice.email], { stdio: 'pipe' });
  child.stdin.end(`${password}\n`);
  const [[code], said, complained] = await Promise.all([once(child, 'close') as Promise<[number]>, text(child.stdout), text(child.stderr)]);
  return { code, output: said + complained };
}

it('the last step of the recipe for a hosted project sends one command, and sees one broadcast', async () => {
  const { code, output } = await firstCommand(alice.password);
  expect(output).toMatch(/signed in as alice@\S+, in tenant [0-9a-f-]{36}\n/);
  expect(output).toMatch(/the command has ended: .*"status":"succeeded".*"lastVersion":1/);
  expect(output).toMatch(/and was broadcast: .*"type":"BudgetOpened"/);
  expect(code).toBe(0);
});

it('says in words what is missing', async () => {
  const { code, output } = await firstCommand('not hers');
  expect(output).toContain('Nobody is signed in');
  expect(output).not.toContain('    at ');
  expect(code).toBe(1);
});
