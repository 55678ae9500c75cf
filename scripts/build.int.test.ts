import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../src/local/paths.ts';
import { runProgram } from '../src/local/process/run-program.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/database.ts';
import { startMainProcess } from '../src/testing/main-process.ts';
import { queryOnce } from '../src/testing/query-once.ts';
import { databaseUrl, dropDatabase } from '../src/testing/template-database.ts';
import { loadedFiles } from './loaded-files.ts';

// Outside of the checkout: what is missing must not be found further up.
const image = mkdtempSync(join(tmpdir(), 'intent-image-'));
const dist = join(image, 'dist');
const { dependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };

/** All that the Dockerfile's last stage has: what is built, what it copies, and the packages of production. */
beforeAll(async () => {
  const built = await runProgram(process.execPath, [join(projectRoot, 'scripts/build.ts'), dist], { cwd: projectRoot });
  if (built.code !== 0) throw new Error(built.output);
  const lastStage = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8').split(/^FROM /m).at(-1)!;
  const copied = [...lastStage.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '));
  for (const file of copied) cpSync(join(projectRoot, file), join(image, file), { recursive: true });
  for (const path of productionPackages()) {
    mkdirSync(dirname(join(image, path)), { recursive: true });
    symlinkSync(join(projectRoot, path), join(image, path));
  }
}, 300_000);
afterAll(() => rmSync(image, { recursive: true, force: true }));

function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> };
  const direct = Object.keys(lock.packages).filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
  return direct.filter((path) => lock.packages[path]!.dev !== true && existsSync(join(projectRoot, path)));
}

const intent = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runProgram(process.execPath, ['dist/cli/intent.js', ...args], { cwd: image, env: { PATH: process.env['PATH'], NODE_OPTIONS: '--enable-source-maps', ...env } });

function expectWords(output: string): void {
  expect(output).toContain('What to do: ');
  expect(output).not.toMatch(/^\s+at |should not have happened/m);
}

describe('what is built', () => {
  it('is what worker, pump and the commands of production load, with its maps, and the workflows as one file', () => {
    const files = globSync('**/*', { cwd: dist, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(dist.length + 1));
    const { files: loaded } = loadedFiles(dist, ['main/worker.js', 'main/command-pump.js', 'cli/intent.js'], ['cli/start.js']);
    expect(files.toSorted()).toEqual([...[...loaded].flatMap((file) => [file, `${file}.map`]), 'workflow-bundle.js'].toSorted());
  });

  it('has nothing of the gateway, the local stack, the client and the tests', () => {
    const folders = new Set(globSync('**/*.js', { cwd: dist }).map((file) => dirname(file)));
    expect([...folders].toSorted()).toEqual([
      '.', 'adapters/http', 'adapters/inline', 'adapters/postgres', 'adapters/system', 'adapters/temporal', 'application', 'cli', 'domain', 'domain/budget',
      'domain/kernel', 'domain/order', 'domain/order-fulfilment', 'local', 'local/migrations', 'local/process', 'main', 'ports',
    ]);
    const files = globSync('**/*', { cwd: image, exclude: ['node_modules'] });
    expect(files).toContain('dist/cli/migrate.js');
    expect(files.filter((file) => /gateway|seed|testing|\.test\.|^src|sql\/(tests|fixtures|current)|\.ts$/.test(file))).toEqual([]);
  });

  it('loads no package but those of production', () => {
    const { packages } = loadedFiles(dist, ['main/worker.js', 'main/command-pump.js', 'cli/intent.js'], ['cli/start.js']);
    expect(packages).toContain('pino');
    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
  });
});

describe('the command line, from what the image has', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('explains itself', async () => {
    expect(await intent(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('Usage: intent <command>') as string });
  });

  it('says of `start` that it is for a checkout', async () => {
    const { code, output } = await intent(['start']);
    expect(code).toBe(1);
    expect(output).toContain('is for a checkout');
    expectWords(output);
  });

  it('migrates an empty database, and one that is migrated', async () => {
    const { adminUrl } = inject('database');
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    await queryOnce(adminUrl, `create database ${name}`);
    try {
      for (const _ of ['empty', 'migrated']) expect(await intent(['migrate'], { DATABASE_URL: databaseUrl(adminUrl, name) })).toMatchObject({ code: 0 });
      expect(await intent(['stand-ins'], { DATABASE_URL: databaseUrl(adminUrl, name) })).toMatchObject({ code: 0 });
      expect(await intent(['doctor'], { DATABASE_URL: databaseUrl(adminUrl, name) })).toMatchObject({ code: 0 });
    } finally {
      await dropDatabase(adminUrl, name);
    }
  }, 120_000);

  const roles = ['intent_worker', 'intent_pump', 'authenticator', 'supabase_auth_admin', 'supabase_realtime_admin'] as const;

  it.each(roles)('tells %s in words that it may not examine, migrate or list', async (role) => {
    for (const command of ['doctor', 'migrate', 'stand-ins', 'orphans']) {
      const { code, output } = await intent([command], { DATABASE_URL: database.urlFor(role), TEMPORAL_ADDRESS: '127.0.0.1:1' });
      expect({ command, code }).toEqual({ command, code: 1 });
      expectWords(output);
    }
  }, 60_000);

  it.each(['doctor', 'migrate', 'stand-ins', 'orphans'])('says in words that `%s` finds no server, no such role and no such database', async (command) => {
    const { hostname, port } = new URL(database.adminUrl);
    const addresses = ['postgresql://a:b@127.0.0.1:1/none', `postgresql://nobody:wrong@${hostname}:${port}/none`, databaseUrl(database.adminUrl, 'no_such_database')];
    for (const DATABASE_URL of addresses) {
      const { code, output } = await intent([command], { DATABASE_URL });
      expect(code).toBe(1);
      expectWords(output);
    }
  }, 60_000);

  it('lets an operator list what Temporal has, and says so where there is no Temporal', async () => {
    const { code, output } = await intent(['orphans'], { DATABASE_URL: database.urlFor('intent_operator'), TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(code).toBe(1);
    expect(output).toContain('Temporal cannot be reached');
    expectWords(output);
  }, 60_000);
});

describe('the processes, from what the image has', () => {
  it('start, and do their work', async () => {
    const database = await createTestDatabase();
    const worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' }, dist);
    const pump = await startMainProcess('command-pump', database, { PUMP_DATABASE_URL: database.urlFor('intent_pump'), TEMPORAL_ADDRESS: '127.0.0.1:1' }, dist);
    await worker.ready();
    const lacks = async (): Promise<unknown> => (await pump.get('/readyz'))?.json();
    await expect.poll(lacks, { timeout: 60_000 }).toMatchObject({ lacks: ['Temporal'] });
    expect(await Promise.all([worker.stop(), pump.stop()])).toEqual([0, 0]);
    await database.drop();
  }, 120_000);
});
