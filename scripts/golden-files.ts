import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Slice } from '../src/domain/kernel/slice.ts';

/** What a message looked like in one of its schema versions: written once, never edited, never removed. */
export interface Golden {
  readonly type: string;
  readonly version: number;
  /** A payload of this version; null: still to be given. */
  readonly example: unknown;
  /** As JSON Schema. */
  readonly schema: unknown;
}

const projectRoot = join(import.meta.dirname, '..');

/** From the folder of its slice. */
export function nameOf({ type, version }: Pick<Golden, 'type' | 'version'>): string {
  return `golden/${type}.v${version}.json`;
}

export function readGolden(slice: Slice): Golden[] {
  const folder = join(folderOf(slice), 'golden');
  // As a new slice is.
  if (!existsSync(folder)) return [];
  return readdirSync(folder).toSorted().map((file) => {
    const [, type, version] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
    if (type === undefined) throw new Error(`${join(folder, file)} has no name such as OrderPlaced.v1.json.`);
    return { type, version: Number(version), ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Pick<Golden, 'example' | 'schema'>) };
  });
}

/** Refuses to write over one that is there. */
export function writeGolden(slice: Slice, golden: Golden): void {
  const { example, schema } = golden;
  mkdirSync(join(folderOf(slice), 'golden'), { recursive: true });
  writeFileSync(join(folderOf(slice), nameOf(golden)), `${JSON.stringify({ example, schema }, null, 2)}\n`, { flag: 'wx' });
}

function folderOf({ aggregateType }: Slice): string {
  return join(projectRoot, 'src', 'domain', aggregateType);
}
