import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';
import { slowFiles } from './slow-first.ts';

test('the files that are to begin first are there, each once', () => {
  expect(slowFiles.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
  expect(new Set(slowFiles).size).toBe(slowFiles.length);
});
