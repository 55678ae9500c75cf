import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../local/paths.ts';
import { needs } from './needs.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const composeFile = read('docker-compose.yml');
const { services } = parse(composeFile, { merge: true }) as { services: Readonly<Record<string, Service>> };
const each = Object.entries(services);
const names = Object.keys(services);
const oneShots = new Set(each.flatMap(([, { depends_on = {} }]) =>
  Object.keys(depends_on).filter((name) => depends_on[name]!.condition === 'service_completed_successfully')));
const serving = names.filter((name) => !oneShots.has(name));
const own = names.filter((name) => services[name]!.image === 'intent');
const documented = new Set(read('.env.example').match(/^(?:# )?[A-Z][A-Z_]+(?==)/gm)?.map((name) => name.replace('# ', '')));
const passwords = [...composeFile.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name!);

// Compose itself judges the file if it is installed, with or without an engine; what is below holds everywhere.
const candidates = [['docker', 'compose'], ['docker-compose']];
const compose = candidates.find(([command, ...args]) => spawnSync(command!, [...args, 'version']).status === 0);
console.log(`docker-compose.yml is checked by ${compose?.join(' ') ?? 'its structure only: Compose is not installed'}`);

describe('Compose', needs(compose, 'Compose is not installed'), () => {
  test('accepts the file when the passwords are chosen', () => {
    expect(config(passwords)).toEqual({ status: 0, stderr: '' });
  });

  test('refuses to start where a password is not chosen, and says where to choose it', () => {
    const { status, stderr } = config(passwords.slice(1));
    expect(status).not.toBe(0);
    expect(stderr).toContain('choose it in .env, see .env.example');
  });
});

describe('docker-compose.yml', () => {
  test('checks the health of every service but the one-shots that others wait for', () => {
    const unchecked = each.filter(([, { healthcheck }]) => healthcheck === undefined || healthcheck.disable).map(([name]) => name);
    expect(new Set(unchecked)).toEqual(oneShots);
  });

  test('starts every service again that serves, whatever has ended it, and no one-shot', () => {
    expect(serving).toEqual(['postgres', 'worker', 'command-pump', 'temporal-postgres', 'temporal', 'temporal-ui']);
    expect(names.filter((name) => services[name]!.restart === 'unless-stopped')).toEqual(serving);
    expect([...oneShots].filter((name) => services[name]!.restart !== undefined)).toEqual([]);
  });

  test('stops what serves before any server that it needs, though a one-shot stands between: Compose follows no chain through what has ended', () => {
    const chained = serving.map((name) => ({ name, serversBehind: [...behind(name)].filter((server) => !oneShots.has(server)) }));
    expect(chained.find(({ name }) => name === 'worker')!.serversBehind.toSorted()).toEqual(['postgres', 'temporal', 'temporal-postgres']);
    const missing = chained.flatMap(({ name, serversBehind }) => serversBehind.filter((server) => !(server in (services[name]!.depends_on ?? {}))));
    expect(missing).toEqual([]);
  });

  test('calls worker and pump healthy if they do their work, and not because they live', () => {
    for (const name of own.filter((one) => serving.includes(one))) expect(services[name]!.healthcheck!.test!.join(' ')).toContain(':8080/readyz"');
  });

  test('gives the cluster of Temporal an address that outlasts its container', () => {
    expect(services['temporal']!.environment?.['TEMPORAL_BROADCAST_ADDRESS']).toBe('127.0.0.1');
  });

  test('puts no password into an address', () => {
    const addresses = each.flatMap(([, { environment }]) => Object.values(environment ?? {}).filter((value) => /^\w+:\/\//.test(value)));
    expect(addresses).toHaveLength(3);
    expect(addresses.filter((address) => new URL(address).password !== '' || address.includes('$'))).toEqual([]);
    expect(own.map((name) => services[name]!.environment?.['PGPASSWORD'])).toEqual(['${POSTGRES_PASSWORD}', '${INTENT_WORKER_PASSWORD}', '${INTENT_PUMP_PASSWORD}']);
  });

  test('limits what every container logs', () => {
    for (const [, { logging }] of each) expect(logging?.options).toEqual({ 'max-size': '10m', 'max-file': '3' });
  });

  test('lets no container gain rights, takes all from ours and from Temporal\'s, and lets ours write no file', () => {
    expect(names.filter((name) => !services[name]!.security_opt?.includes('no-new-privileges:true'))).toEqual([]);
    expect(names.filter((name) => !services[name]!.cap_drop?.includes('ALL'))).toEqual(['postgres', 'temporal-postgres']);
    expect(own).toEqual(['migrate', 'worker', 'command-pump']);
    expect(own.filter((name) => services[name]!.read_only !== true)).toEqual([]);
  });

  test('lets every service wait until what it depends on works', () => {
    const conditions = each.flatMap(([, { depends_on = {} }]) => Object.values(depends_on).map(({ condition }) => condition));
    expect(new Set(conditions)).toEqual(new Set(['service_healthy', 'service_completed_successfully']));
  });

  test('publishes ports to this machine only', () => {
    const ports = each.flatMap(([, service]) => service.ports ?? []);
    expect(ports).toContain('127.0.0.1:7233:7233');
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
  });

  test('mounts only files that are there', () => {
    const sources = each.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
    const files = sources.filter((source) => source.startsWith('.'));
    expect(files).toContain('./temporal-config/development.yaml');
    expect(files.filter(isAbsent)).toEqual([]);
  });

  test('runs only programs that the build makes', () => {
    const programs = each.flatMap(([, { command = [] }]) => command.filter((word) => word.startsWith('dist/')));
    expect(programs).toContain('dist/main/worker.js');
    expect(programs.map(sourceOf).filter(isAbsent)).toEqual([]);
  });
});

describe('.env.example', () => {
  test('explains every variable that docker-compose.yml takes from the environment', () => {
    const used = [...composeFile.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name!);
    expect(used.filter((name) => !documented.has(name))).toEqual([]);
  });

  test('explains every setting of the worker, the command pump and the migration', () => {
    const given = own.flatMap((name) => Object.keys(services[name]!.environment ?? {}));
    const settings = read('src/main/config.ts').match(/[A-Z][A-Z_]+(?=:)/g) ?? [];
    expect(settings).toContain('INTENT_ENGINE');
    expect([...given, ...settings].filter((name) => !documented.has(name))).toEqual([]);
  });
});

describe('Dockerfile', () => {
  const instructions = read('Dockerfile').match(/^[A-Z]+ .*$/gm)!;

  const copied = instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));

  test('copies only files that are there', () => {
    expect(copied).toContain('sql/committed');
    expect(copied.filter(isAbsent)).toEqual([]);
  });

  test('copies what .dockerignore lets through', () => {
    expect(new Set(copied)).toEqual(new Set(read('.dockerignore').match(/(?<=^!).+$/gm)));
  });

  test('runs what the build makes, and not as root', () => {
    expect(instructions).toContain('USER node');
    expect(instructions).toContain('CMD ["node", "--max-old-space-size=1024", "--max-semi-space-size=4", "dist/main/worker.js"]');
  });

  test('asks whether the process lives, since a supervisor restarts what is not healthy, which mends no server that is away', () => {
    expect(read('Dockerfile')).toMatch(/^HEALTHCHECK [^]*\/healthz/m);
  });
});

function config(chosen: readonly string[]) {
  const [command, ...args] = compose!;
  const environment = Object.fromEntries(chosen.map((name) => [name, 'chosen']));
  const { status, stderr } = spawnSync(command!, [...args, '--env-file', '.env.example', 'config', '--quiet'], {
    cwd: projectRoot,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    encoding: 'utf8',
  });
  return { status, stderr };
}

/** All that a service depends on, by itself or through others. */
function behind(name: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const next of Object.keys(services[name]!.depends_on ?? {})) {
    if (seen.has(next)) continue;
    seen.add(next);
    behind(next, seen);
  }
  return seen;
}

function sourceOf(built: string): string {
  return built.replace(/^dist/, 'src').replace(/\.js$/, '.ts');
}

function isAbsent(file: string): boolean {
  return !existsSync(join(projectRoot, file));
}

function read(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}
