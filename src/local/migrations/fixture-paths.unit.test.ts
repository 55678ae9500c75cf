import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../paths.ts';
import { readBehaviourList } from './behaviour-list.ts';

const sql = join(projectRoot, 'sql');
const { fixtures } = readBehaviourList(sql);

test('a fixture lies where its owner says: what spans tenants apart from what does not', () => {
  const ownerByPath = (file: string) => {
    if (file.startsWith('platform/')) return null;
    return file.includes('/spanning/') ? 'intent_system' : 'intent_owner';
  };
  expect(fixtures.length).toBeGreaterThan(200);
  expect(fixtures.map(({ file }) => ({ file, role: ownerByPath(file) }))).toEqual(fixtures);
});

test('a fixture is named after an object that it makes', () => {
  const made = /^create (?:or replace )?(?:constraint )?(?:function|aggregate|view|trigger) (?:\w+\.)?(\w+)/gim;
  const misnamed = fixtures.filter(({ file }) => {
    if (/\b(policies|platform)\/|_rows\.sql$/.test(file)) return false;
    const names = [...readFileSync(join(sql, 'fixtures', file), 'utf8').matchAll(made)].map(([, name]) => name);
    return !names.includes(basename(file, '.sql'));
  });
  expect(misnamed).toEqual([]);
});
