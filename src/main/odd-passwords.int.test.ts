import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectToDatabase } from '../local/connect-to-database.ts';
import { migrateDatabase } from '../local/migrate-database.ts';
import { ensureDatabase } from '../local/postgres/ensure-database.ts';
import { type RunningPostgres, startPostgres } from '../local/postgres/start-postgres.ts';
import { runProgram } from '../local/process/run-program.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { claimsOf, createTenant, openBudget, submitAs } from '../testing/tenant.ts';
import { chooseTestPort } from '../testing/test-port.ts';

const temporal = await startTestTemporal();

/** With all that means something else in an address, or for a shell, and pieces that occur nowhere else. */
const odd = (name: string) => `${name}Pf4@zs8m/Wk2:rd7v#J9u?x5%41&'"$ `;
const passwords = { postgres: odd('ad1'), intent_worker: odd('wo2'), intent_pump: odd('pu3'), intent_operator: odd('op4') };
type User = keyof typeof passwords;
const pieces = ['Pf4', 'zs8m', 'Wk2', 'rd7v', 'J9u'];
const expectNothingOfIt = (said: string) => expect(pieces.filter((piece) => said.includes(piece))).toEqual([]);

let scratch: ScratchDirectory;
let server: RunningPostgres;
beforeAll(async () => {
  scratch = await createScratchDirectory();
  server = await startPostgres({ directory: `${scratch.path}/postgres`, port: await chooseTestPort(), password: passwords.postgres, log: () => {} });
  await ensureDatabase(server.adminUrl(), 'intent');
});
afterAll(async () => {
  await temporal?.stop();
  await server.stop();
  scratch.remove();
});

const addressOf = (user: User) => `postgresql://${user}@127.0.0.1:${server.port}/intent`;

const loginOf = (user: User) => ({ DATABASE_URL: addressOf(user), PGPASSWORD: passwords[user] });

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  return runProgram(process.execPath, [program, ...args], { env: { PATH: process.env['PATH'], ...env } });
}

const intent = (command: string, env: Readonly<Record<string, string>>) => run('src/cli/intent.ts', [command], env);

describe('passwords with @, /, :, #, ? and %, given in PGPASSWORD', () => {
  it('migrate, and are given to the roles as they are', async () => {
    const { code, output } = await intent('migrate', {
      ...loginOf('postgres'),
      NODE_ENV: 'production',
      INTENT_WORKER_PASSWORD: passwords.intent_worker,
      INTENT_PUMP_PASSWORD: passwords.intent_pump,
      INTENT_OPERATOR_PASSWORD: passwords.intent_operator,
    });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Role intent_pump is new: password from INTENT_PUMP_PASSWORD.') as string });
    expectNothingOfIt(output);
    await migrateDatabase(server.adminUrl('intent'), 'current');
    for (const command of ['stand-ins', 'doctor'] as const) {
      const again = await intent(command, loginOf(command === 'doctor' ? 'intent_operator' : 'postgres'));
      expect(again.code).toBe(0);
      expectNothingOfIt(again.output);
    }
  }, 120_000);

  it('let worker and pump settle a command, and stand in no line that they log', { timeout: 120_000, ...needs(temporal, 'there is no Temporal') }, async () => {
    const env = (user: User) => ({ PGPASSWORD: passwords[user], TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', LOG_LEVEL: 'trace', NODE_ENV: 'production' });
    const database = { urlFor: (role: string) => addressOf(role as User) };
    const processes = await Promise.all([
      startMainProcess('worker', database, { ...env('intent_worker'), PUMP_DATABASE_URL: '' }),
      startMainProcess('command-pump', database, { ...env('intent_pump'), DATABASE_URL: '' }),
    ]);
    await Promise.all(processes.map(({ ready }) => ready()));
    const admin = new pg.Pool({ connectionString: server.adminUrl('intent') });
    const { commandId } = await submitAs(admin, claimsOf(await createTenant(admin), 'owner'), openBudget('odd'));
    const statusOf = async () => (await admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
    await expect.poll(statusOf, { timeout: 30_000 }).toBe('succeeded');
    await admin.end();
    expect(await Promise.all(processes.map(({ stop }) => stop()))).toEqual([0, 0]);
    for (const { lines } of processes) expectNothingOfIt(JSON.stringify(lines));
  });

  it('that are wrong are told as wrong, and not told', async () => {
    const { code, output } = await intent('doctor', { ...loginOf('intent_operator'), PGPASSWORD: passwords.intent_pump });
    expect(code).toBe(1);
    expect(output).toContain('password authentication failed for user "intent_operator"');
    expectNothingOfIt(output);
  });
});

describe('a password that somebody has put into an address as it is', () => {
  // As docker-compose.yml did. (Of what is left of it the driver would make the host `zs8m` and the database `Wk2:rd7v`, and say so.)
  const torn = (user: User) => `postgresql://${user}:Pf4@zs8m/Wk2:rd7v#J9u@127.0.0.1:${server.port}/intent?sslmode=disable`;

  it.each(['migrate', 'stand-ins', 'doctor', 'orphans'])('is refused by `intent %s` in words, with no piece of it', async (command) => {
    const { code, output } = await intent(command, { DATABASE_URL: torn('postgres') });
    expect(code).toBe(1);
    expect(output).toContain('PGPASSWORD');
    expectNothingOfIt(output);
    expect(output).not.toContain('    at ');
  });

  it.each(['worker', 'command-pump'])('is refused by the %s, which ends with 2, with no piece of it', async (name) => {
    const { code, output } = await run(`src/main/${name}.ts`, [], { DATABASE_URL: torn('intent_worker'), PUMP_DATABASE_URL: torn('intent_pump'), HEALTH_PORT: '0' });
    expect(code).toBe(2);
    expect(output).toContain('PGPASSWORD');
    expectNothingOfIt(output);
  });

  it('is no part of what the driver says where nobody has looked at the address before', async () => {
    const said = await connectToDatabase(`postgresql://a:Pf4/zs8m@127.0.0.1:${server.port}/intent`).catch((error: unknown) => String(error));
    expectNothingOfIt(said as string);
  });
});
