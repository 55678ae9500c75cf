import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestDatabase } from './database.ts';
import type { OwnDatabase } from './own-database.ts';
import { queryOnce } from './query-once.ts';

export interface SmallDisk {
  /** Takes all of its space. */
  fill(): void;
  free(): void;
  /** After the server has let go of it. */
  remove(): Promise<void>;
}

/** Beyond what a migrated database has. */
const bytes = 96 * 1024 * 1024;
/** Ten of the WAL's segments: more than a new server keeps. */
const walBytes = 160 * 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024);

/**
 * Moves a database, to which nobody is connected, to a disk that can be filled: a tablespace on a tmpfs. The WAL stays where it is,
 * and with it the other databases. Undefined, after a notice, if nothing can be mounted or the server is not on this machine.
 */
export async function moveToSmallDisk(database: TestDatabase, serverUrl: string): Promise<SmallDisk | undefined> {
  const [{ data_directory: data } = {}] = await queryOnce(serverUrl, 'show data_directory');
  const mounted = mount(bytes, String(data));
  if (mounted === undefined) return undefined;
  const { directory, unmount, ...disk } = mounted;
  const tablespace = `small_${database.name}`;
  await queryOnce(serverUrl, `create tablespace ${tablespace} location ${pg.escapeLiteral(directory)}`);
  await queryOnce(serverUrl, `alter database ${database.name} set tablespace ${tablespace}`);
  return {
    ...disk,
    async remove() {
      await queryOnce(serverUrl, `drop tablespace ${tablespace}`);
      unmount();
    },
  };
}

/** Moves the WAL of a server to a disk that can be filled. Undefined, after a notice, if nothing can be mounted. */
export async function moveWalToSmallDisk({ directory: data, restart }: OwnDatabase): Promise<SmallDisk | undefined> {
  const mounted = mount(walBytes, data);
  if (mounted === undefined) return undefined;
  const { directory, unmount, ...disk } = mounted;
  const wal = join(data, 'pg_wal');
  await restart('fast', () => {
    // With its owner: `cp` keeps it, and Node's copy does not.
    spawnSync('cp', ['-a', `${wal}/.`, directory]);
    rmSync(wal, { recursive: true });
    symlinkSync(directory, wal);
  });
  return { ...disk, remove: async () => unmount() };
}

/** A tmpfs with a directory for the server, whose data are there. */
function mount(size: number, data: string) {
  const mountPoint = mkdtempSync(join(tmpdir(), 'intent-small-disk-'));
  const isMounted = existsSync(data) && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'intent-test', mountPoint]).status === 0;
  if (!isMounted) {
    rmdirSync(mountPoint);
    console.log('The test of a full disk is left out: it needs the right to mount, and a server on this machine.');
    return undefined;
  }
  const { uid, gid } = statSync(data);
  const directory = join(mountPoint, 'postgres');
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, uid, gid);
  const filler = join(mountPoint, 'filler');
  return {
    directory,
    fill() {
      writeFileSync(filler, '');
      try {
        for (;;) appendFileSync(filler, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => truncateSync(filler),
    unmount() {
      spawnSync('umount', [mountPoint]);
      rmdirSync(mountPoint);
    },
  };
}
