import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findDrift, writeGeneratedFiles } from './generated-files.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'intent-generate-'));
});

afterEach(() => rm(root, { recursive: true }));

test('the generated files in the repository are what the domain says', async () => {
  expect(await findDrift()).toEqual([]);
});

test('generating twice writes nothing the second time', async () => {
  expect(await writeGeneratedFiles(root)).toHaveLength(3);
  expect(await writeGeneratedFiles(root)).toEqual([]);
});

test('an edited generated file is drift', async () => {
  await writeGeneratedFiles(root);
  await writeFile(join(root, 'sql/fixtures/app/message_types_rows.sql'), '-- edited\n');
  expect(await findDrift(root)).toEqual(['sql/fixtures/app/message_types_rows.sql']);
});
