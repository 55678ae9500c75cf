#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { StackError } from '../local/stack-error.ts';

const help = `Usage: intent <command> [options]

  start       Starts everything on this machine, plays the example once, and stays in the foreground until Ctrl-C.
                --fresh        Begin anew: deletes the local data first.
                --no-example   Leave the example out.
  migrate     Brings the database of DATABASE_URL to the state of sql/. Where Supabase's own roles and schemas are missing it
              lays stand-ins first. It never changes the password of a role that exists; roles that it creates get
              INTENT_PUMP_PASSWORD, INTENT_WORKER_PASSWORD and INTENT_OPERATOR_PASSWORD, where those are given.
  stand-ins   Only the first part of that: lays what a Supabase database has into the one of DATABASE_URL, where it is missing.
  doctor      Looks into the database of DATABASE_URL, an operator's or an administrator's, for what is out of order: guards
              that are gone, holes in the log, commands that nobody goes on with. Ends with 1 where it finds something.
  orphans     Lists Temporal's executions of commands that the database of DATABASE_URL, an operator's or an administrator's,
              does not know: what was lost when it was set back. Ends with 1 where there are any.
                --since TIME   Only those that were started after that (ISO 8601).

  --help      This text.
`;

/** Parses the command line, runs the command and returns the exit code: 2 for a command line that it does not understand. */
async function run(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (parsed === undefined) return misunderstood();
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (positionals.length !== 1) return misunderstood();
  // Loaded when asked for: the whole stack takes a while to load, and the other commands do not need it.
  switch (positionals[0]) {
    case 'start':
      return (await loadStart()).start({ fresh: values.fresh, example: !values['no-example'] });
    case 'migrate':
      return (await import('./migrate.ts')).migrate();
    case 'stand-ins':
      return (await import('./stand-ins.ts')).standIns();
    case 'doctor':
      return (await import('./doctor.ts')).doctor();
    case 'orphans':
      return (await import('./orphans.ts')).orphans(values.since);
    default:
      return misunderstood();
  }
}

/** Outside of a checkout it is not there: the build leaves it out, with all that a machine of production has no use for. */
async function loadStart() {
  try {
    return await import('./start.ts');
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new StackError(
      '`intent start` is for a checkout with all its packages: here is only what production needs.',
      'Run `npm start` in a checkout. With containers, docker-compose.yml starts worker and pump beside their servers.',
      { cause },
    );
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false, short: 'h' },
        fresh: { type: 'boolean', default: false },
        'no-example': { type: 'boolean', default: false },
        since: { type: 'string' },
      },
    });
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

const insufficientPrivilege = '42501';

/** A database that refuses a login is no fault of ours: somebody has given the address of another one. */
function inWords(error: unknown): unknown {
  if ((error as { code?: string }).code !== insufficientPrivilege) return error;
  return new StackError(
    `The login of DATABASE_URL may not do this: ${(error as Error).message}.`,
    "Give an administrator's (of a Supabase project `postgres`); doctor and orphans need an operator's at least.",
    { cause: error },
  );
}

function unexpected(error: unknown): string {
  return `\nThis should not have happened: please report it with these lines.\n${(error as Error).stack}\n`;
}

function misunderstood(): number {
  console.error(help);
  return 2;
}

try {
  // Not process.exitCode: what a stopped start has left pending (a build, say) must not keep us here.
  process.exit(await run(process.argv.slice(2)));
} catch (thrown) {
  const error = inWords(thrown);
  console.error(error instanceof StackError ? `\n${error.message}\n  What to do: ${error.remedy}\n` : unexpected(error));
  process.exit(1);
}
