import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from './paths.ts';
import { workerHeap } from './worker-process.ts';

it.each(['package.json', 'Dockerfile', 'docker-compose.yml', 'ops/systemd/intent-worker.service'])('%s starts the worker with the heap that it has here', (file) => {
  const lines = readFileSync(join(projectRoot, file), 'utf8').split('\n').filter((line) => line.includes('dist/main/worker.js'));
  expect(lines).toHaveLength(1);
  for (const flag of workerHeap) expect(lines[0]).toContain(flag);
});
