import { claimsIn, rose, thorn } from './households.ts';
import type { Pitfall } from './pitfall.ts';
import { without } from './pitfall.ts';

// Which tenant is asked for: claims, settings, plans that outlive them.

const dave = { claims: claimsIn(thorn, thorn.owner) };
const alice = { claims: claimsIn(rose, rose.owner) };
const aliceWith = (claims: object) => ({ claims: { ...alice.claims, ...claims } });
const eventsOfRose = `select from intent.events where tenant_id = '${rose.tenantId}'`;
const rowsOfRose = ['events', 'orders', 'commands', 'snapshots', 'tenants']
  .map((table) => `select 1 from intent.${table} where tenant_id = '${rose.tenantId}'`)
  .join(' union all ');
const notOurForm = {
  of: 'intent.claimed_membership()',
  check: `if tenant like canonical and member like canonical and translate(tenant || member, '0123456789abcdef', '') = '--------' then`,
};

export const pitfallsOfClaims: readonly Pitfall[] = [
  {
    number: 4,
    name: "an ended local setting is '', not NULL",
    attempt: [['intent_owner', `select from (select count(*) from intent.events) as seen
      where seen.count = 0 and current_setting('intent.tenant_id', true) = ''`]],
    guarded: '1 rows',
    unguard: without(
      'intent.entered_tenant_id()',
      `nullif(pg_catalog.current_setting('intent.tenant_id', true), '')`,
      `current_setting('intent.tenant_id', true)`,
    ),
    unguarded: '22P02',
  },
  ...[
    ['no claims at all', {}],
    ['claims that are empty', ''],
    ['no tenant claim', { sub: rose.owner }],
    ['a tenant claim that is null', { sub: rose.owner, tenant_id: null }],
    ['a tenant that stands in user_metadata only', { sub: rose.owner, user_metadata: { tenant_id: rose.tenantId } }],
    ['no subject', { tenant_id: rose.tenantId }],
    ['a tenant in which the subject is no member', { sub: thorn.owner, tenant_id: rose.tenantId }],
  ].map(([name, claims]) => ({
    number: 5,
    name: `missing claim: ${name as string}`,
    attempt: [[{ claims: claims! }, rowsOfRose] as const],
    guarded: '0 rows',
    unguard: `alter policy tenant_wall on intent.events using (tenant_id = coalesce(intent.current_tenant_id(), tenant_id));
      alter policy members_read on intent.events using (true)`,
    unguarded: '2 rows',
  })),
  ...(
    [
      ['words', { tenant_id: 'rose' }, '22P02'],
      ['nothing', { tenant_id: '' }, '22P02'],
      ['an array', { tenant_id: [rose.tenantId] }, '22P02'],
      ['an object', { tenant_id: { id: rose.tenantId } }, '22P02'],
      ['a number', { tenant_id: 7 }, '22P02'],
      ['SQL', { tenant_id: `${rose.tenantId}' or true --` }, '22P02'],
      ['a look-alike', { tenant_id: rose.tenantId.replace('a', '\u0430') }, '22P02'],
      ['a subject in words', { sub: 'alice' }, '22P02'],
      ['upper case', { tenant_id: rose.tenantId.toUpperCase() }, '7 rows'],
      ['braces', { tenant_id: `{${rose.tenantId}}` }, '7 rows'],
      ['no hyphens', { tenant_id: rose.tenantId.replaceAll('-', '') }, '7 rows'],
    ] as const
  ).map(([name, claims, unguarded]) => ({
    number: 6,
    name: `malformed uuid claim: ${name}`,
    attempt: [[aliceWith(claims), rowsOfRose] as const],
    guarded: '0 rows',
    unguard: without(notOurForm.of, notOurForm.check, 'if true then'),
    unguarded,
  })),
  {
    number: 6,
    name: 'malformed claims: no JSON',
    attempt: [[{ claims: '{"sub": ' }, rowsOfRose]],
    guarded: '0 rows',
    unguard: without('intent.claimed_membership()', `pg_input_is_valid(given, 'jsonb')`, 'true'),
    unguarded: '22P02',
  },
  {
    number: 7,
    name: "a claim function marked IMMUTABLE plus a generic plan serves another tenant's row",
    attempt: [
      ['administrator', 'deallocate all'],
      [alice, 'set local plan_cache_mode = force_generic_plan'],
      [alice, `prepare look as ${eventsOfRose}`],
      [alice, 'execute look'],
      [dave, 'execute look'],
    ],
    guarded: '0 rows',
    unguard: 'alter function intent.current_tenant_id() immutable',
    unguarded: '2 rows',
  },
  {
    number: 30,
    name: 'NULL tenant: a row without one cannot be',
    attempt: [['administrator', `insert into intent.checkpoints (tenant_id, subscription) values (null, 'everybody')`]],
    guarded: '23502',
    unguard: 'alter table intent.checkpoints drop constraint checkpoints_pkey, alter column tenant_id drop not null',
    unguarded: '1 rows, changed intent.checkpoints',
  },
  {
    number: 30,
    name: 'NULL tenant: who has none does not see rows that have none',
    given: `alter table intent.snapshots drop constraint snapshots_pkey, alter column tenant_id drop not null;
      update intent.snapshots set tenant_id = null where tenant_id = '${rose.tenantId}'`,
    attempt: [[{ claims: {} }, 'select from intent.snapshots']],
    guarded: '0 rows',
    unguard: `alter policy tenant_wall on intent.snapshots using (tenant_id is not distinct from intent.current_tenant_id());
      alter policy members_read on intent.snapshots using (true)`,
    unguarded: '1 rows',
  },
];
