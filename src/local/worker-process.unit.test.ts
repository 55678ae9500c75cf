import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from './paths.ts';
import { workerEnvironment, workerHeap } from './worker-process.ts';

it.each(['package.json', 'Dockerfile', 'docker-compose.yml', 'ops/systemd/intent-worker.service'])('%s starts the worker with the heap that it has here', (file) => {
  const lines = readFileSync(join(projectRoot, file), 'utf8').split('\n').filter((line) => line.includes('dist/main/worker.js'));
  expect(lines).toHaveLength(1);
  for (const flag of workerHeap) expect(lines[0]).toContain(flag);
});

// The compose file runs the image; a script of npm has no environment of its own on every platform (docs/operations.md).
it.each(['Dockerfile', 'ops/systemd/intent-worker.service'])('%s starts the worker with the environment that it has here', (file) => {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  for (const [name, value] of Object.entries(workerEnvironment)) expect(text).toMatch(new RegExp(`^env(ironment)?[ =].*\\b${name}=${value}\\b`, 'im'));
});
