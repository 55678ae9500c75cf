import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { commandDefinitions } from '../src/domain/commands.ts';
import { processManagers } from '../src/domain/processes.ts';

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
    { path: 'sql/fixtures/app/message_types_rows.sql', content: renderMessageTypes() },
    { path: 'sql/fixtures/app/process_events_rows.sql', content: renderProcessEvents() },
  ];
  const present = await Promise.all(files.map(({ path }) => readFile(join(root, path), 'utf8').catch(() => undefined)));
  return files.filter(({ content }, index) => content !== present[index]);
}

async function bundleDefinitions(): Promise<string> {
  // The schema library stays an import: the function's deno.json maps it to the same version.
  const bundle = await rolldown({
    input: 'src/domain/commands.ts',
    cwd: projectRoot,
    external: ['zod'],
    // The events' schemas are of no use there.
    treeshake: { manualPureFunctions: ['defineEvents', 'z'] },
  });
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

/** Events of other types cost an append nothing: the trigger's condition names those that somebody reacts to. */
function renderProcessEvents(): string {
  const listeners = processManagers.flatMap(({ name, events }) =>
    Object.entries(events).map(([type, keyPath]) => ({ name, type, field: keyPath === 'aggregateId' ? '' : keyPath.slice('payload.'.length) })),
  );
  const rows = listeners.map(({ name, type, field }) => `  (${[quote(name), quote(type), quote(field)].join(', ')})`).toSorted();
  const types = [...new Set(listeners.map(({ type }) => quote(type)))].toSorted();
  const insert = `insert into intent.process_events (process, event_type, key_path)\nvalues\n${rows.join(',\n')};\n`;
  return `-- ${notice}
delete from intent.process_events;
${rows.length === 0 ? '' : insert}
create or replace trigger queue_reactions after insert on intent.events
  for each row when (new.type = any (array[${types.join(', ')}]::text[]))
  execute function intent.queue_reactions();
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
