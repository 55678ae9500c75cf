import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What a compiled module imports, at once or later, apart from what it names by a variable. */
const importing = /(?:^(?:import|export)\b[^'"]*?\bfrom\s*|^import\s*|\bimport\s*\(\s*)['"]([^'"]+)['"]/gm;

export interface LoadedFiles {
  /** By their paths from the directory; the entry points themselves among them. */
  readonly files: ReadonlySet<string>;
  /** Names of packages, without what they are asked for. */
  readonly packages: ReadonlySet<string>;
}

/** All that the entry points of a directory of JavaScript load, directly or not, but for what is left out on purpose. */
export function loadedFiles(directory: string, entries: readonly string[], leftOut: readonly string[] = []): LoadedFiles {
  const files = new Set<string>();
  const packages = new Set<string>();

  function visit(file: string): void {
    if (files.has(file) || leftOut.includes(file)) return;
    files.add(file);
    for (const [, specifier] of readFileSync(join(directory, file), 'utf8').matchAll(importing)) {
      if (specifier!.startsWith('.')) visit(relative(directory, join(directory, file, '..', specifier!)));
      else if (!specifier!.startsWith('node:')) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier!)![0]);
    }
  }

  entries.forEach(visit);
  return { files, packages };
}
