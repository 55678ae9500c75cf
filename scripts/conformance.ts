// Whether a project, hosted or a stand-in, does as ours rely on: `npm run conformance -- --help`.
import { parseArgs } from 'node:util';
import { StackError } from '../src/local/stack-error.ts';
import { allChecks, checkConformance } from '../src/testing/conformance/conformance.ts';
import { readTarget, type TargetOptions } from '../src/testing/conformance/target.ts';

const help = `Usage: npm run conformance -- --url <address> --key <publishable key> [--users <file>]

Asks a Supabase project, or the local stand-in for one, for what clients rely on: Auth, the Data API, the function and Realtime. Prints a
sentence for each of ${allChecks.length} checks, and ends with 1 where one does not hold.

  --url <address>   As in https://<project>.supabase.co, or apiUrl of .intent/stack.json.
  --key <key>       The project's publishable key. It is public.
  --users <file>    JSON: [{ "email": "…", "password": "…" }, …], two test users who share no tenant; .intent/stack.json will do.
                    (Default: the environment's CONFORMANCE_USERS, the same as text.) Passwords are never arguments.
  --help            This text.

It signs these two in a few times, sets one field of their own metadata and removes it, shows the first as present for a moment, and
ends the sessions that it opened. It sends no command that is taken, and needs no administrator.
`;

function parse() {
  try {
    const options = { url: { type: 'string' }, key: { type: 'string' }, users: { type: 'string' }, help: { type: 'boolean', default: false, short: 'h' } } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

async function run(options: TargetOptions): Promise<number> {
  const target = readTarget({ ...options, usersJson: process.env['CONFORMANCE_USERS'] });
  const failures = await checkConformance(target, console.log);
  console.log(failures === 0 ? `\nAll ${allChecks.length} hold.` : `\n${failures} of ${allChecks.length} do not hold.`);
  return failures === 0 ? 0 : 1;
}

const options = parse();
if (options === undefined || options.help) {
  console.log(help);
  process.exitCode = options === undefined ? 2 : 0;
} else {
  try {
    process.exitCode = await run(options);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    console.error(`\n${error.message}\n  What to do: ${error.remedy}\n`);
    process.exitCode = 1;
  }
}
