import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { choosePort } from './ports.ts';
import { projectRoot } from './paths.ts';

it('takes the next free port where the preferred one is in use', async () => {
  const busy = await choosePort(56201);
  const server = createServer().listen(busy, '127.0.0.1');
  await once(server, 'listening');
  expect(await choosePort(busy)).toBeGreaterThan(busy);
  server.close();
});

it('never gives one port to two who ask at once', async () => {
  const ports = await Promise.all(Array.from({ length: 5 }, () => choosePort(56221)));
  expect(new Set(ports).size).toBe(5);
});

it('never gives a port that another process has chosen and not bound yet, and gives it again when that process has ended', async () => {
  const port = await choosePort(56241);
  const script = `const { choosePort } = await import('./src/local/ports.ts'); console.log(await choosePort(${port})); setInterval(() => {}, 1000)`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  const [chosen] = (await once(other.stdout, 'data')) as [Buffer];
  const theirs = Number(chosen.toString());
  expect(theirs).toBeGreaterThan(port);
  expect(await choosePort(theirs)).toBeGreaterThan(theirs);
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await choosePort(theirs)).toBe(theirs);
});
