import { expect, test } from 'vitest';
import { readFromRoot } from './tracked-files.ts';

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const packageJson = JSON.parse(readFromRoot('package.json')) as Record<string, Record<string, unknown> | undefined>;
const lock = JSON.parse(readFromRoot('package-lock.json')) as { packages: Readonly<Record<string, LockedPackage>> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

test('every package in the lock file has the checksum of its content, and none comes from elsewhere than the registry', () => {
  expect(locked.length).toBeGreaterThan(100);
  expect(locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
  expect(locked.filter(([, { resolved, link }]) => resolved !== undefined || link === true).map(([path]) => path)).toEqual([]);
});

test('every package with an install script has a decision in package.json, and no decision is left over', () => {
  const paths = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  const withScripts = paths.map((path) => path.replace(/^.*node_modules\//, ''));
  expect(Object.keys(packageJson['allowScripts']!).toSorted()).toEqual([...new Set(withScripts)].toSorted());
});

test('package.json names exact versions', () => {
  const versions = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) => Object.entries(packageJson[kind]!));
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(String(version)))).toEqual([]);
});
