import { describe, expect, it } from 'vitest';
import { projectRoot } from '../src/local/paths.ts';
import { readFromRoot } from '../src/testing/tracked-files.ts';
import { licencesPath, renderLicences, unacceptable } from './licence-policy.ts';
import { packagesInProduction } from './packages-in-production.ts';

const packages = packagesInProduction(projectRoot);

describe('the licences of what runs in production', () => {
  it('are all acceptable', () => {
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['pg', 'zod', 'jsonc-parser']));
    expect(unacceptable(packages)).toEqual([]);
  });

  it('stand in docs/licences.md as they are (else: npm run licences)', () => {
    expect(readFromRoot(licencesPath)).toBe(renderLicences(packages));
  });
});

it.each([
  { licence: 'MIT', accepted: true },
  { licence: '(MIT OR Apache-2.0)', accepted: true },
  { licence: 'Apache-2.0 AND MIT', accepted: true },
  { licence: 'AGPL-3.0-only', accepted: false },
  { licence: 'MIT AND GPL-2.0-only', accepted: false },
  { licence: 'SEE LICENSE IN LICENSE.md', accepted: false },
  { licence: 'UNLICENSED', accepted: false },
  { licence: 'undeclared', accepted: false },
])('a package under $licence is accepted: $accepted', ({ licence, accepted }) => {
  expect(unacceptable([{ name: 'new', version: '1.0.0', licence }])).toHaveLength(accepted ? 0 : 1);
});

it('a package that somebody has looked at needs another look when it declares another licence', () => {
  expect(unacceptable([{ name: 'unionfs', version: '5.0.0', licence: 'GPL-3.0-only' }])).toHaveLength(1);
});
