import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../local/cache-directory.ts';
import { StackError } from '../../local/stack-error.ts';
import { executableName, executableOnPath } from '../../local/temporal/executable-on-path.ts';
import { findProgram, type Way } from '../../local/temporal/find-program.ts';
import { goInstall } from '../../local/temporal/go-install.ts';

/** The server of the newest release, as clusters run it. */
const version = '1.32.1';

export interface ServerPrograms {
  readonly server: string;
  /** Makes and updates the tables of a cluster's databases. */
  readonly sqlTool: string;
}

/** Temporal's production server from the cache, else built by Go, which takes minutes, once. Throws `StackError` if it cannot be had. */
export async function obtainServer(log: (line: string) => void): Promise<ServerPrograms> {
  const server = await obtain('temporal-server', 'cmd/server', log);
  return { server, sqlTool: await obtain('temporal-sql-tool', 'cmd/tools/sql', log) };
}

async function obtain(program: string, command: string, log: (line: string) => void): Promise<string> {
  const found = await findProgram({ program, cacheDirectory: cacheDirectory(), ways: [builtByGo(program, command, log)], log });
  if (found.executable === undefined) {
    throw new StackError(`Temporal's production server cannot be had: ${found.reasons.join('; ')}`, 'Install Go, or mend what it says.');
  }
  return found.executable;
}

function builtByGo(program: string, command: string, log: (line: string) => void): Way {
  return {
    version,
    async obtain(directory, alsoHeldBy) {
      const go = executableOnPath('go', process.env['PATH'] ?? '');
      if (go === undefined) return { reason: 'Go is not installed' };
      log(`building ${program} ${version} with Go, several minutes, once …`);
      const failure = await goInstall(go, `go.temporal.io/server/${command}@v${version}`, { ...process.env, GOBIN: directory }, alsoHeldBy);
      if (failure !== undefined) return { reason: failure };
      // Go names a program after its folder.
      const file = join(directory, executableName(program));
      await rename(join(directory, executableName(command.split('/').at(-1)!)), file);
      return { file };
    },
  };
}
