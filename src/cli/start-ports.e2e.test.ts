import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readStackInfo } from '../local/stack-info.ts';
import { preferredPorts } from '../local/stack-ports.ts';
import { startStack } from '../local/stack.ts';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { runStartCommand } from '../testing/start-command.ts';

let scratch: ScratchDirectory;
beforeAll(async () => {
  scratch = await createScratchDirectory();
});
afterAll(() => scratch.remove());

it('two that are started at once both come up, each on ports of its own', { timeout: 120_000 }, async () => {
  const directories = [join(scratch.path, 'first'), join(scratch.path, 'second')];
  const commands = directories.map((directory) => runStartCommand(directory, '--no-example'));
  try {
    await Promise.all(commands.map((command) => command.line('Ready after')));
    const stacks = directories.map((directory) => readStackInfo(directory)!);
    for (const { apiUrl } of stacks) expect((await fetch(`${apiUrl}/auth/v1/.well-known/jwks.json`)).status).toBe(200);
    const addresses = stacks.flatMap(({ apiUrl, databaseUrl, temporal }) => [apiUrl, databaseUrl, temporal!.address, temporal!.uiUrl!]);
    expect(new Set(addresses.map((address) => address.split(':').at(-1))).size).toBe(addresses.length);
  } finally {
    for (const command of commands) command.kill('SIGINT');
    await Promise.all(commands.map((command) => command.ended));
  }
});

it('a start whose port another program takes before it is bound begins again on the next one', { timeout: 120_000 }, async () => {
  // Not chosen, which would reserve it.
  const api = randomInt(12_000, 31_000);
  const stranger = createServer();
  const lines: string[] = [];
  const log = (line: string) => {
    // PostgreSQL has come up; the gateway, which stands on it, has not.
    if (line.includes('PostgreSQL') && !stranger.listening) stranger.listen(api, '127.0.0.1');
    lines.push(line);
  };
  const stack = await startStack({ directory: join(scratch.path, 'third'), ports: { ...preferredPorts, api }, fresh: false, log });
  try {
    expect(lines.join('\n')).toContain(`port ${api} was taken meanwhile`);
    expect(Number(new URL(stack.info.apiUrl).port)).toBeGreaterThan(api);
    expect((await fetch(`${stack.info.apiUrl}/auth/v1/.well-known/jwks.json`)).status).toBe(200);
  } finally {
    await stack.stop();
    stranger.close();
    await once(stranger, 'close');
  }
});
