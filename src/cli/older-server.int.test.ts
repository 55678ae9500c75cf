import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../testing/needs.ts';
import { findOlderPostgres, startOlderPostgres } from '../testing/older-server.ts';
import { queryOnce } from '../testing/query-once.ts';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';

const programs = findOlderPostgres();
let scratch: ScratchDirectory;
let server: Awaited<ReturnType<typeof startOlderPostgres>>;

async function intent(command: string): Promise<{ code: number; output: string }> {
  const run = promisify(execFile)(process.execPath, [fileURLToPath(new URL('intent.ts', import.meta.url)), command], {
    env: { ...process.env, DATABASE_URL: server.adminUrl },
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
}

describe('a server that is older than PostgreSQL 17', needs(programs, 'no PostgreSQL below 17 is installed'), () => {
  beforeAll(async () => {
    scratch = await createScratchDirectory();
    server = await startOlderPostgres(programs!, scratch.path);
  });
  afterAll(async () => {
    await server.stop();
    scratch.remove();
  });

  it.each(['migrate', 'doctor'])('is refused in words by `intent %s`', async (command) => {
    const { code, output } = await intent(command);
    expect(code).toBe(1);
    expect(output).toMatch(/PostgreSQL 1[0-6]\.\S+.* is not served/);
    expect(output).toContain('Upgrade to PostgreSQL 17');
    expect(output).not.toContain('    at ');
  });

  it('is not touched by it', async () => {
    expect(await queryOnce(server.adminUrl, `select nspname from pg_namespace where nspname in ('intent', 'api', 'auth', 'realtime', 'graphile_migrate')`)).toEqual([]);
    expect(await queryOnce(server.adminUrl, `select rolname from pg_roles where rolname !~ '^(pg_|postgres$)'`)).toEqual([]);
  });

  it('is what the doctor in the database finds first, after a restore onto it', async () => {
    const doctor = readFileSync(new URL('../../sql/fixtures/doctor/spanning/doctor_server.sql', import.meta.url), 'utf8');
    await queryOnce(server.adminUrl, `create schema intent; ${doctor}`);
    expect(await queryOnce(server.adminUrl, 'select problem, object from intent.doctor_server()')).toEqual([
      { problem: 'server not served', object: expect.stringMatching(/^PostgreSQL 1[0-6]\./) as string },
    ]);
  });
});
