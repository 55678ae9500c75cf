import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { calledFunctions } from './session-problems.ts';

/** `name/arguments` of each call in a source file. */
function callsIn(source: string): string[] {
  return [...source.matchAll(/intent\.(\w+)\(((?:[^()]|\([^()]*\))*)\)/g)].map(([, name, given]) => {
    const outermost = given!.replaceAll(/\([^()]*\)/g, '');
    return `${name}/${outermost.trim() === '' ? 0 : outermost.split(',').length}`;
  });
}

it('every function that the adapters call is asked for before a process is ready, and no other', () => {
  const files = globSync('src/adapters/postgres/*.ts').filter((file) => !file.endsWith('.test.ts'));
  const called = files.flatMap((file) => callsIn(readFileSync(file, 'utf8').replaceAll(/\/\*\*[^]*?\*\//g, '')));
  const asked = Object.values(calledFunctions).flatMap((functions) => Object.entries(functions).map(([name, count]) => `${name}/${count}`));
  expect([...new Set(called)].toSorted()).toEqual([...new Set(asked)].toSorted());
});
