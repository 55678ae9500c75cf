import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { commandDefinitions } from '../src/domain/commands.ts';

/**
 * What is derived from the messages of the domain for places that cannot import them: the Edge Function deploys nothing outside
 * `supabase/functions`, and SQL knows no TypeScript.
 */
interface GeneratedFile {
  /** From the project's root. */
  readonly path: string;
  readonly content: string;
}

const projectRoot = join(import.meta.dirname, '..');
const notice = 'Generated from src/domain by `npm run generate`. Do not edit.';

/** Writes every generated file under `root` and gives the paths of those that changed. */
export async function writeGeneratedFiles(root = projectRoot): Promise<string[]> {
  const stale = await findStale(root);
  for (const { path, content } of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return stale.map(({ path }) => path);
}

/** The paths of generated files that are missing under `root`, or differ from what the domain says now. */
export async function findDrift(root = projectRoot): Promise<string[]> {
  return (await findStale(root)).map(({ path }) => path);
}

async function findStale(root: string): Promise<GeneratedFile[]> {
  const files = [
    { path: 'supabase/functions/_shared/commands.generated.js', content: await bundleDefinitions() },
    { path: 'sql/fixtures/intent/message_types_rows.sql', content: renderMessageTypes() },
  ];
  const present = await Promise.all(files.map(({ path }) => readFile(join(root, path), 'utf8').catch(() => undefined)));
  return files.filter(({ content }, index) => content !== present[index]);
}

async function bundleDefinitions(): Promise<string> {
  // The schema library stays an import: the function's deno.json maps it to the same version.
  const bundle = await rolldown({ input: 'src/domain/commands.ts', cwd: projectRoot, external: ['zod'] });
  try {
    const { output } = await bundle.generate({ format: 'esm', banner: `// ${notice}` });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}

/** A type that is gone keeps its row: commands refer to it. */
function renderMessageTypes(): string {
  const rows = Object.entries(commandDefinitions)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, { aggregateType, aggregateIdPattern, sentBy, schemaVersion, execution }]) => {
      const senders = `array[${sentBy.map(quote).join(', ')}]`;
      return `  (${[quote(type), quote(aggregateType), quote(aggregateIdPattern), senders, schemaVersion, quote(execution)].join(', ')})`;
    });
  return `-- ${notice}
insert into intent.message_types (type, aggregate_type, aggregate_id_pattern, sent_by, schema_version, execution)
values
${rows.join(',\n')}
on conflict (type) do update set
  aggregate_type = excluded.aggregate_type,
  aggregate_id_pattern = excluded.aggregate_id_pattern,
  sent_by = excluded.sent_by,
  schema_version = excluded.schema_version,
  execution = excluded.execution;
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
