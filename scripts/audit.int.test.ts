import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The real npm, on a registry that says what we want to hear: the public one has, we hope, nothing to say about our packages.
let registry: Server;
let advisories: unknown;
/** npm remembers what it was told of an advisory, which must not get into the cache of anyone who runs this. */
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'intent-audit-'));
  registry = createServer((request, response) => {
    const isAudit = request.method === 'POST' && request.url === '/-/npm/v1/security/advisories/bulk';
    response.writeHead(isAudit && advisories !== undefined ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAudit ? advisories : {}));
  });
  await once(registry.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  registry.close();
  await rm(cache, { recursive: true });
});

async function audit(answer: unknown): Promise<{ code: number; output: string }> {
  advisories = answer;
  const { port } = registry.address() as AddressInfo;
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}`, npm_config_cache: cache };
  return promisify(execFile)(process.execPath, [join(import.meta.dirname, 'audit.ts')], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
}

function advisory(id: number, severity: string) {
  return [{ id, url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc', title: 'Made up', severity, vulnerable_versions: '*' }];
}

describe('npm run audit', () => {
  it.each([
    { what: 'fails at a severe advisory of a package in production', answer: { pg: advisory(1, 'high') }, code: 1, says: 'high: pg: Made up' },
    { what: 'passes with a mild one, which it prints', answer: { pg: advisory(2, 'low') }, code: 0, says: 'low: pg: Made up' },
    { what: 'passes where nothing is known', answer: {}, code: 0, says: 'Nothing of severity high' },
    { what: 'passes, and says so, where the registry has no advisories', answer: undefined, code: 0, says: 'NOT AUDITED' },
  ])('$what', async ({ answer, code, says }) => {
    const run = await audit(answer);
    expect(run.output).toContain(says);
    expect(run.code).toBe(code);
  });
});
