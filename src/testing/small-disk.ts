import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestDatabase } from './database.ts';
import { queryOnce } from './query-once.ts';

export interface SmallDisk {
  /** Takes all of its space. */
  fill(): void;
  free(): void;
  /** After the database has been dropped. */
  remove(): Promise<void>;
}

/** Beyond what a migrated database has. */
const bytes = 96 * 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024);

/**
 * Moves a database, to which nobody is connected, to a disk that can be filled: a tablespace on a tmpfs. The WAL stays where it is,
 * and with it the other databases. Undefined, after a notice, where nothing can be mounted or the server is not on this machine.
 */
export async function moveToSmallDisk(database: TestDatabase, serverUrl: string): Promise<SmallDisk | undefined> {
  const [{ data_directory: data } = {}] = await queryOnce(serverUrl, 'show data_directory');
  const mountPoint = mkdtempSync(join(tmpdir(), 'intent-small-disk-'));
  const isMounted = existsSync(String(data)) && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'intent-test', mountPoint]).status === 0;
  if (!isMounted) {
    rmdirSync(mountPoint);
    console.log('The test of a full disk is left out: it needs the right to mount, and a server on this machine.');
    return undefined;
  }
  const { uid, gid } = statSync(String(data));
  const directory = join(mountPoint, 'tablespace');
  mkdirSync(directory);
  chownSync(directory, uid, gid);
  const tablespace = `small_${database.name}`;
  await queryOnce(serverUrl, `create tablespace ${tablespace} location ${pg.escapeLiteral(directory)}`);
  await queryOnce(serverUrl, `alter database ${database.name} set tablespace ${tablespace}`);

  const filler = join(mountPoint, 'filler');
  return {
    fill() {
      writeFileSync(filler, '');
      try {
        for (;;) appendFileSync(filler, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => truncateSync(filler),
    async remove() {
      await queryOnce(serverUrl, `drop tablespace ${tablespace}`);
      spawnSync('umount', [mountPoint]);
      rmdirSync(mountPoint);
    },
  };
}
