import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const keptLines = 20;

export interface ProcessLog {
  readonly file: string;
  /** Copies a stream of the process into the log, line by line. */
  follow(stream: Readable): void;
  /** The newest lines, oldest first: what a person needs to see when the process has died. */
  lastLines(): string[];
  close(): void;
}

/** `<directory>/<name>.log` of this run; the log of the run before is kept beside it as `<name>.1.log`. */
export function openProcessLog(directory: string, name: string): ProcessLog {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.log`);
  if (existsSync(file)) renameSync(file, join(directory, `${name}.1.log`));
  const out = createWriteStream(file, { flags: 'a' });
  // A full disk must not end the stack by way of its log; the databases will say it better.
  out.on('error', () => {});
  const tail: string[] = [];

  return {
    file,
    follow(stream) {
      createInterface({ input: stream }).on('line', (line) => {
        tail.push(line);
        if (tail.length > keptLines) tail.shift();
        if (out.writable) out.write(`${line}\n`);
      });
    },
    lastLines: () => [...tail],
    close: () => out.end(),
  };
}
