import { describe, expect, test } from 'vitest';
import { codeBlocks, section } from './markdown.ts';
import { foldersOf, readFromRoot, trackedFiles } from './tracked-files.ts';

interface Entry {
  /** From the project's root; of a folder with a slash at its end. */
  readonly path: string;
  readonly description: string;
}

const structure = readFromRoot('docs/structure.md');
const entries = readTree(codeBlocks(structure, 'text')[0]!);
const files = trackedFiles();

/** Two spaces a level, then a name, then what is there. */
function readTree(tree: string): Entry[] {
  const folders: string[] = [];
  return tree.trimEnd().split('\n').map((line) => {
    const [, indent, name, description] = /^( *)(\S+) *(.*)$/.exec(line)!;
    folders.length = indent!.length / 2;
    const path = folders.join('') + name!;
    folders.push(name!);
    return { path, description: description! };
  });
}

describe('the tree in docs/structure.md', () => {
  test('names the folders that are there, each once, and no other', () => {
    const named = entries.map(({ path }) => path).filter((path) => path.endsWith('/'));
    expect(named.toSorted()).toEqual([...foldersOf(files)].map((folder) => `${folder}/`).toSorted());
  });

  test('names the files at the top, each once, and no other', () => {
    const named = entries.map(({ path }) => path).filter((path) => !path.endsWith('/'));
    expect(named.toSorted()).toEqual(files.filter((path) => !path.includes('/')).toSorted());
  });

  test('says of each what is there', () => {
    expect(entries.filter(({ description }) => description.length < 10)).toEqual([]);
  });
});

test('the table of imports has every folder of src/', () => {
  const table = section(structure, 'What may import what').match(/^\| .*$/gm)!.join('\n');
  const folders = [...foldersOf(files)].filter((folder) => /^src\/[^/]+$/.test(folder));
  expect(folders).toContain('src/domain');
  expect(folders.filter((folder) => !table.includes(`${folder}/`))).toEqual([]);
});
