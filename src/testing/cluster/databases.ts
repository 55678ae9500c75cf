import { runProgram } from '../../local/process/run-program.ts';
import { StackError } from '../../local/stack-error.ts';

export interface DatabaseServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** By the schema that the tool has inside. */
const databases = { temporal: 'postgresql/v12/temporal', temporal_visibility: 'postgresql/v12/visibility' };

/** Makes the two databases of a cluster, with the tables of its version. */
export async function makeDatabases(sqlTool: string, server: DatabaseServer): Promise<void> {
  for (const [database, schema] of Object.entries(databases)) {
    await run(sqlTool, server, database, ['create-database']);
    await run(sqlTool, server, database, ['setup-schema', '--version', '0.0']);
    await run(sqlTool, server, database, ['update-schema', '--schema-name', schema]);
  }
}

/** While nobody is connected to them. */
export async function dropDatabases(sqlTool: string, server: DatabaseServer): Promise<void> {
  for (const database of Object.keys(databases)) await run(sqlTool, server, database, ['drop-database', '--force']);
}

async function run(sqlTool: string, { port, user, password }: DatabaseServer, database: string, args: readonly string[]): Promise<void> {
  const address = ['--plugin', 'postgres12', '--endpoint', '127.0.0.1', '--port', String(port), '--user', user, '--database', database];
  // Not among the arguments, which every user of the machine can read.
  const { code, output } = await runProgram(sqlTool, [...address, ...args], { env: { ...process.env, SQL_PASSWORD: password } });
  if (code !== 0) throw new StackError(`temporal-sql-tool ${args.join(' ')} failed:\n${output}`, 'Read what it says.');
}
