import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createScratchDirectory } from '../scratch-directory.ts';
import { startTcpProxy } from '../tcp-proxy.ts';
import { openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;
beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);
afterAll(() => stack.stop());

/** An instance of the function that can be killed, with the connection between the Data API and it in the test's hands. */
async function startVictim() {
  const { hostname: host, port } = new URL(stack.postgrestUrl);
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const home = await createScratchDirectory();
  const victim = await stack.startInstance(home.path);
  onTestFinished(async () => {
    await victim.stop();
    home.remove();
    await proxy.stop();
  });
  stack.upstream.serveRest(`http://127.0.0.1:${proxy.port}`);
  const kill = async () => {
    process.kill(victim.pid, 'SIGKILL');
    await victim.exited;
  };
  return { proxy, url: victim.url, kill };
}

async function rowsOf(commandId: string): Promise<number> {
  return (await stack.database.query('select from intent.commands where command_id = $1', [commandId])).rowCount!;
}

test('a function that dies before its commit leaves nothing, and the same command is taken by the next one', async () => {
  const { proxy, url, kill } = await startVictim();
  const command = openBudget();
  const before = stack.upstream.restRequests();
  proxy.become('frozen');
  const answer = stack.postTo(url, command);
  await vi.waitFor(() => expect(stack.upstream.restRequests()).toBe(before + 1), { timeout: 10_000, interval: 10 });
  await Promise.all([expect(answer).rejects.toThrow('fetch failed'), kill()]);
  proxy.cut();
  proxy.become('open');

  expect(await rowsOf(command.commandId)).toBe(0);
  const again = await stack.post(command);
  expect([again.status, await again.json()]).toEqual([202, expect.objectContaining({ status: 'pending', duplicate: false })]);
});

test('a function that dies after its commit has taken the command, and the next one says so', async () => {
  const { proxy, url, kill } = await startVictim();
  const command = openBudget();
  const committed = proxy.loseNextAnswer('stall');
  const answer = stack.postTo(url, command);
  await committed;
  await Promise.all([expect(answer).rejects.toThrow('fetch failed'), kill()]);

  expect(await rowsOf(command.commandId)).toBe(1);
  const again = await stack.post(command);
  expect([again.status, await again.json()]).toEqual([202, expect.objectContaining({ status: 'pending', duplicate: true })]);
  expect(await rowsOf(command.commandId)).toBe(1);
});
