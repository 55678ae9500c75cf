import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../local/paths.ts';

/** The files that git has, or would take at the next `git add`, by their paths from the project's root. */
export function trackedFiles(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(projectRoot, path)));
}

/** Every folder that holds one of the files, however deep below. */
export function foldersOf(files: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

/** `path` from the project's root. */
export function readFromRoot(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}
