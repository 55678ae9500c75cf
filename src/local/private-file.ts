import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file that only its owner may read; anyone who reads it sees the old content or the whole new one. */
export function writePrivateFile(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, content, { mode: 0o600 });
  renameSync(unfinished, path);
}
