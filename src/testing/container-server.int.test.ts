import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { getContainerRuntimeClient } from 'testcontainers';
import { startContainerServer } from './container-server.ts';
import { needs } from './needs.ts';
import { queryOnce } from './query-once.ts';

const password = 'p@ss/w:rd#1';
const lines: string[] = [];
const server = await startContainerServer(password, (line) => lines.push(line));
afterAll(() => server?.stop());
afterEach(() => vi.unstubAllEnvs());

console.log(`Supabase's image in Docker: ${server === undefined ? `not tried, there is none. ${lines.join('\n')}` : server.description}`);

describe('the server of a test run, if Docker has Supabase\'s image', needs(server, 'there is no Docker with Supabase\'s image'), () => {
  it('is the one in the container, and no other', async () => {
    const [row] = await queryOnce(server!.adminUrl, `select pg_read_file('/etc/hostname') as machine, current_user as name, current_setting('is_superuser') as superuser`);
    expect(row).toMatchObject({ name: 'supabase_admin', superuser: 'on' });
    expect((await published()).map(({ id }) => `${id.slice(0, 12)}\n`)).toContain(row!['machine']);
    expect(lines).toEqual([]);
  });

  it('listens on this machine only', async () => {
    for (const { addresses } of await published()) expect(addresses).toEqual(['127.0.0.1']);
  });

  it('of a run that was killed is removed by the next one, and none of one that lives', async () => {
    const before = (await published()).map(({ id }) => id);
    const killed = startInAnotherProcess('process.kill(process.pid, "SIGKILL")');
    expect(killed.signal).toBe('SIGKILL');
    const left = (await published()).map(({ id }) => id).filter((id) => !before.includes(id));
    expect(left).toHaveLength(1);
    const next = await startContainerServer(password, (line) => lines.push(line));
    await next!.stop();
    expect((await published()).map(({ id }) => id).toSorted()).toEqual(before.toSorted());
  }, 240_000);
});

it('is the embedded one if no Docker engine answers, without a word', needs(server === undefined, 'Docker has Supabase\'s image'), () => {
  expect(startInAnotherProcess('console.log(server)').stdout).toBe('undefined\n');
});

/** Testcontainers looks for an engine once in a process and keeps the answer. */
function startInAnotherProcess(thereupon: string) {
  const script = `const { startContainerServer } = await import('${import.meta.dirname}/container-server.ts');
    const server = await startContainerServer('x', console.log); ${thereupon}`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', timeout: 150_000 });
}

/** Those of test runs: this test's, and that of the whole run. */
async function published() {
  const { container } = await getContainerRuntimeClient();
  const found = await container.dockerode.listContainers({ filters: { label: ['intent.test-run'] } });
  return found.map(({ Id: id, Ports }) => ({ id, addresses: Ports.filter(({ PrivatePort }) => PrivatePort === 5432).map(({ IP }) => IP) }));
}
