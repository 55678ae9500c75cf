import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { projectRoot } from '../../src/local/paths.ts';
import { findPostgresBinaries } from '../../src/local/postgres/binaries.ts';
import { StackError } from '../../src/local/stack-error.ts';
import { dynamicConfigFlags } from '../../src/local/temporal/dynamic-config.ts';
import { executableOnPath } from '../../src/local/temporal/executable-on-path.ts';
import { readServices } from './composition.ts';
import { say, timed } from './progress.ts';
import { run } from './run.ts';

const definitions = join(import.meta.dirname, 'images');

interface BaseImage {
  readonly tags: readonly string[];
  readonly definition: string;
  /** By the name in the image's context. */
  readonly files: Readonly<Record<string, string>>;
  readonly texts?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
}

/** Makes in the engine what docker-compose.yml and the Dockerfile name, out of what this machine has, and of Debian in `work`. */
export async function makeBaseImages({ work, temporal }: { work: string; temporal: string }): Promise<void> {
  const { seconds } = await timed(async () => {
    const debian = join(work, 'debian');
    await run('sh', ['-c', `tar --numeric-owner --create --directory='${debian}' . | docker import - intent-debian`]);
    rmSync(debian, { recursive: true });
    for (const image of await baseImages(temporal)) await make(image, join(work, 'context'));
  });
  say(`Base images: ${seconds} s`);
}

async function baseImages(temporal: string): Promise<readonly BaseImage[]> {
  const { image, ofService } = readImages();
  const native = dirname(dirname((await findPostgresBinaries()).postgres));
  const entrypoint = join(definitions, 'postgres-entrypoint.sh');
  const postgres = { definition: 'postgres', files: { native, 'postgres-entrypoint.sh': entrypoint } };
  return [
    {
      tags: [image('Dockerfile', /^FROM (\S+)$/m)],
      definition: 'node',
      files: { node: realpathSync(process.execPath), npm: findNpm() },
      texts: { 'authorities.crt': authorities() },
    },
    { ...postgres, tags: [ofService('postgres')], args: ['--build-arg', 'SUPERUSER=supabase_admin'] },
    { ...postgres, tags: [ofService('temporal-postgres')], args: ['--build-arg', 'SUPERUSER=postgres'] },
    {
      tags: [ofService('temporal'), ofService('temporal-schema')],
      definition: 'temporal',
      files: { temporal: realpathSync(temporal), 'temporal-sql-tool.sh': join(definitions, 'temporal-sql-tool.sh') },
      command: ['temporal', 'server', 'start-dev', '--ip=0.0.0.0', '--headless', '--db-filename=temporal.db', ...flags()],
    },
    { tags: [ofService('temporal-ui')], definition: 'temporal-ui', files: {} },
  ];
}

async function make({ tags, definition, files, texts = {}, args = [], command }: BaseImage, context: string): Promise<void> {
  mkdirSync(context);
  for (const [name, source] of Object.entries(files)) cpSync(source, join(context, name), { recursive: true, verbatimSymlinks: true });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(context, name), text);
  const last = command === undefined ? '' : `CMD ${JSON.stringify(command)}\n`;
  writeFileSync(join(context, 'Dockerfile'), readFileSync(join(definitions, `${definition}.Dockerfile`), 'utf8') + last);
  await run('docker', ['build', '--quiet', ...tags.flatMap((tag) => ['--tag', tag]), ...args, context]);
  rmSync(context, { recursive: true });
}

function readImages() {
  const services = readServices();
  return {
    image: (file: string, pattern: RegExp) => pattern.exec(readFileSync(join(projectRoot, file), 'utf8'))![1]!,
    ofService: (name: string) => services[name]!.image,
  };
}

/** Its package. npm itself says where global packages would lie, which is nowhere if Node comes from a package of npm. */
function findNpm(): string {
  const command = executableOnPath('npm', process.env['PATH'] ?? '');
  if (command === undefined) throw new StackError('npm is not on the PATH.', 'Install it, with Node.');
  return dirname(dirname(realpathSync(command)));
}

function authorities(): string {
  const { NODE_EXTRA_CA_CERTS } = process.env;
  return NODE_EXTRA_CA_CERTS ? readFileSync(NODE_EXTRA_CA_CERTS, 'utf8') : rootCertificates.join('\n');
}

function flags(): string[] {
  return dynamicConfigFlags(readFileSync(join(projectRoot, 'temporal-config', 'development.yaml'), 'utf8'));
}
