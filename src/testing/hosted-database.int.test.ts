import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { migrateDatabase } from '../local/migrate-database.ts';
import { prepareDatabase } from '../local/prepare-database.ts';
import { type RunningPostgres, startPostgres } from '../local/postgres/start-postgres.ts';
import { type HostedDatabase, hostedLayouts, layHosted } from './hosted-layout.ts';
import { queryOnce } from './query-once.ts';
import { createScratchDirectory, type ScratchDirectory } from './scratch-directory.ts';
import { claimsOf, createTenant, openBudget, submitAs, type TestTenant } from './tenant.ts';
import { chooseTestPort } from './test-port.ts';
import { behaviourIncludes, stateIncludes, withIncludes } from './with-includes.ts';

// Supabase's own server cannot be had here. These have its roles and owners: see hosted-layout.sql. The last one is what a plain server
// gets from us, where the administrator is a superuser.
const layouts = [...Object.entries(hostedLayouts), ['the stand-ins of a plain server', undefined] as const];

describe.each(layouts)('a database with %s', (_, layout) => {
  let scratch: ScratchDirectory;
  let server: RunningPostgres;
  let urls: HostedDatabase;
  /** As the platform's superuser: to look, and to take rights away. */
  let platform: pg.Pool;
  let project: pg.Pool;
  let rose: TestTenant;

  beforeAll(async () => {
    scratch = await createScratchDirectory();
    server = await startPostgres({ directory: `${scratch.path}/postgres`, port: await chooseTestPort(), password: 'only-for-this-test', log: () => {} });
    if (layout === undefined) {
      await queryOnce(server.adminUrl(), 'create database project');
      const admin = new pg.Client(server.adminUrl('project'));
      await admin.connect();
      await layStandIns(admin);
      await admin.end();
      urls = { platformUrl: server.adminUrl('project'), projectUrl: server.adminUrl('project') };
    } else {
      urls = await layHosted(server.adminUrl(), 'project', layout);
    }
    platform = new pg.Pool({ connectionString: urls.platformUrl });
    project = new pg.Pool({ connectionString: urls.projectUrl });
    // The server ends sessions that have just said goodbye.
    for (const pool of [platform, project]) pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
    // As projects are that were there before, and then twice.
    await migrateDatabase(urls.projectUrl, 'committed');
    rose = await createTenant(platform);
    await migrateDatabase(urls.projectUrl, 'current');
    await migrateDatabase(urls.projectUrl, 'current');
  });
  afterAll(async () => {
    await Promise.all([platform.end(), project.end()]);
    await server.stop();
    scratch.remove();
  });
  afterEach(() => platform.query('truncate realtime.messages'));

  /** As a login role of ours, on a connection of its own; `warnings` collects what it is warned of. */
  async function as<Row extends pg.QueryResultRow>(role: string, statement: string, values: unknown[] = [], warnings: string[] = []): Promise<Row[]> {
    const client = await platform.connect();
    const note = ({ message = '' }: { message?: string | undefined }) => warnings.push(message);
    client.on('notice', note);
    try {
      await client.query(`set session authorization ${role}`);
      return (await client.query<Row>(statement, values)).rows;
    } finally {
      await client.query('reset session authorization');
      client.off('notice', note);
      client.release();
    }
  }

  const note = (aggregateId: string) => [rose.tenantId, aggregateId, JSON.stringify([{ type: 'NoteTaken', schemaVersion: 1, payload: {} }])];
  const appends = `select intent.append_events($1, 'note', $2, null, $3)`;

  async function messages(): Promise<unknown[]> {
    return (await platform.query<object>('select topic, event from realtime.messages order by inserted_at, event')).rows;
  }

  it('appends, and tells the members', async () => {
    const warnings: string[] = [];
    await as('intent_worker', appends, note('a'), warnings);
    expect(await messages()).toEqual([{ topic: `tenant:${rose.tenantId}:events`, event: 'appended' }]);
    expect(warnings).toEqual([]);
  });

  it('takes a command, claims it, settles it, and tells its sender', async () => {
    const { commandId } = await submitAs(platform, claimsOf(rose, 'owner'), openBudget('groceries'));
    const claimed = await as<{ command_id: string }>('intent_pump', `select command_id from intent.claim_commands('a pump', 10, '1 minute')`);
    expect(claimed.map(({ command_id }) => command_id)).toContain(commandId);
    const opened = JSON.stringify([{ type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Groceries', limit: 1000 } }]);
    await as('intent_worker', `select intent.append_events($1, 'budget', 'groceries', 0, $2, $3)`, [rose.tenantId, opened, commandId]);
    expect(await messages()).toEqual(expect.arrayContaining([
      { topic: `tenant:${rose.tenantId}:events`, event: 'appended' },
      { topic: `tenant:${rose.tenantId}:user:${rose.members.owner}`, event: 'outcome' },
    ]));
  });

  it('tells of a removed member', async () => {
    const client = await platform.connect();
    await client.query('begin');
    await client.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ role: 'authenticated', ...claimsOf(rose, 'owner') })]);
    await client.query('select api.remove_member($1)', [rose.members.guest]);
    await client.query('commit');
    client.release();
    expect(await messages()).toEqual([{ topic: `tenant:${rose.tenantId}:events`, event: 'removed' }]);
  });

  it('lets members join their channels, and nobody else', async () => {
    const topic = `tenant:${rose.tenantId}:events`;
    await platform.query(`insert into realtime.messages (topic, extension, event, private) values ($1, 'broadcast', 'appended', true)`, [topic]);
    const seenBy = async (claims: object): Promise<unknown> => {
      const client = await platform.connect();
      await client.query('begin');
      await client.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true), set_config('realtime.topic', $2, true)`, [JSON.stringify({ role: 'authenticated', ...claims }), topic]);
      const { rows } = await client.query<{ seen: number }>('select count(*)::integer as seen from realtime.messages');
      await client.query('rollback');
      client.release();
      return rows[0]!.seen;
    };
    expect(await seenBy(claimsOf(rose, 'member'))).toBe(1);
    expect(await seenBy({ ...claimsOf(rose, 'member'), sub: randomUUID() })).toBe(0);
  });

  it("gives the platform's Auth its hook, and nothing else", async () => {
    const event = JSON.stringify({ user_id: rose.members.owner, claims: { sub: rose.members.owner, session_id: randomUUID(), role: 'authenticated' } });
    const [row] = await as<{ answer: { claims: object } }>('supabase_auth_admin', 'select intent.custom_access_token_hook($1) as answer', [event]);
    expect(row!.answer.claims).toMatchObject({ tenant_id: rose.tenantId });
    await expect(as('supabase_auth_admin', 'select from intent.memberships')).rejects.toThrow('permission denied');
  });

  it('is well, by its doctor', async () => {
    expect(await as('intent_operator', 'select * from intent.doctor()')).toEqual([]);
    expect(await messages()).toEqual([]);
  });

  it("lets its administrator make a tenant and an owner, and look after it, as the README's recipe does", async () => {
    const [tenantId, userId] = [randomUUID(), randomUUID()];
    await platform.query(`insert into auth.users (id, email, encrypted_password) values ($1, $2, '')`, [userId, `${userId}@example.com`]);
    const { rows } = await project.query<{ id: string }>('select id from auth.users where email = $1', [`${userId}@example.com`]);
    await project.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
    await project.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, rows[0]!.id]);
    expect((await project.query('select * from intent.doctor()')).rows).toEqual([]);
    expect((await project.query<{ members: string[] }>('select intent.members_without_user() as members')).rows[0]!.members).not.toContain(userId);
    await project.query(`select intent.set_hint_limit($1, 2), intent.set_sign_in_rules($1, true, null), intent.set_schedule_limits($1, 5, 60)`, [tenantId]);
    await project.query(`select intent.add_member($1, $2, 'owner'), intent.remove_user($3)`, [tenantId, randomUUID(), userId]);
  });

  it('keeps what belongs to the platform, and lets nobody but us send', async () => {
    const { rows } = await platform.query(`select nspname, pg_get_userbyid(nspowner) as owner from pg_namespace where nspname in ('auth', 'realtime') and pg_get_userbyid(nspowner) ~ '^(intent|postgres)' and $1`, [layout !== undefined]);
    expect(rows).toEqual([]);
    for (const role of ['authenticated', 'anon', 'intent_worker', 'intent_pump', 'intent_operator']) {
      await expect(as(role, `select intent.broadcast('{}', 'x', 'y')`)).rejects.toThrow('permission denied');
    }
  });

  it('takes the newest state and behaviour once more as its administrator, without a grant that only warns', async () => {
    const client = await project.connect();
    const notices: { code: string | undefined; message: string | undefined }[] = [];
    client.on('notice', ({ code, message }) => notices.push({ code, message }));
    await client.query(`begin; ${withIncludes(`${stateIncludes}${behaviourIncludes}`)}; do $$ begin raise warning 'heard'; end $$; commit`);
    client.release();
    expect(notices.filter(({ code }) => code?.startsWith('01'))).toEqual([{ code: '01000', message: 'heard' }]);
  });

  // `postgres` has some of this by its membership in the roles of clients, too.
  const all = 'public, anon, authenticated, service_role, supabase_realtime_admin, intent_owner, postgres cascade';
  const harms = {
    'the schema is closed': `alter schema realtime owner to supabase_auth_admin; revoke usage on schema realtime from ${all}`,
    'realtime.send may not be called': `alter function realtime.send(jsonb, text, text, boolean) owner to supabase_auth_admin;
      revoke execute on function realtime.send(jsonb, text, text, boolean) from ${all}`,
    'realtime.send is gone': 'alter function realtime.send(jsonb, text, text, boolean) rename to sent',
    'the schema is gone': 'alter schema realtime rename to realtime_of_old',
    'our own function may not be called': `alter function intent.broadcast(jsonb, text, text) owner to supabase_auth_admin;
      revoke execute on function intent.broadcast(jsonb, text, text) from intent_owner, intent_system`,
    'nobody may insert a message': `alter table realtime.messages owner to supabase_auth_admin; revoke insert on realtime.messages from ${all}`,
  };

  it.each(Object.entries(harms))('goes on appending if %s, with a warning, and the doctor has tried it', async (what, harm) => {
    const client = await platform.connect();
    const warnings: string[] = [];
    client.on('notice', ({ severity, message = '' }) => severity === 'WARNING' && warnings.push(message));
    try {
      await client.query('begin');
      await client.query(`${harm}; set local session authorization intent_worker`);
      await client.query(appends, note('b'));
      await client.query(appends, note('b'));
      expect(warnings).toHaveLength(what.includes('insert') ? 2 : 1);
      const { rows: written } = await client.query(`reset session authorization; select count(*)::integer as n from intent.events where aggregate_id = 'b'`).then((results) => (results as unknown as pg.QueryResult[])[1]!);
      expect(written).toEqual([{ n: 2 }]);
      const { rows } = await client.query('select problem, detail from intent.doctor()');
      expect(rows).toEqual([{ problem: 'clients are not told', detail: expect.stringMatching(/permission denied|does not exist|wrote no message/) as string }]);
    } finally {
      await client.query('rollback');
      client.release(true);
    }
  });
});

describe('a hosted project whose Realtime nobody has used', () => {
  it('is refused in words by a migration, which changes nothing', async () => {
    const scratch = await createScratchDirectory();
    const server = await startPostgres({ directory: `${scratch.path}/postgres`, port: await chooseTestPort(), password: 'only-for-this-test', log: () => {} });
    try {
      const { platformUrl, projectUrl } = await layHosted(server.adminUrl(), 'project', hostedLayouts['a newer image']!);
      await queryOnce(platformUrl, 'drop function realtime.send(jsonb, text, text, boolean); drop table realtime.messages');
      const migrating = prepareDatabase({ adminUrl: projectUrl, upTo: 'current', log: () => {}, finish: async () => {} });
      await expect(migrating).rejects.toThrow('The tables of Supabase Realtime are not there yet');
      expect(await queryOnce(platformUrl, `select rolname from pg_roles where rolname like 'intent%'`)).toEqual([]);
    } finally {
      await server.stop();
      scratch.remove();
    }
  });
});
