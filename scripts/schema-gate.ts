import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { CommandDefinition, EventDefinition } from '../src/domain/kernel/message.ts';
import type { RegisteredSlice } from '../src/domain/kernel/slice.ts';
import { upcast } from '../src/domain/kernel/upcast.ts';
import { type Golden, nameOf } from './golden-files.ts';

type Definition = CommandDefinition | EventDefinition;

/** The golden files that the slice's messages need now, without an example. */
export function goldenNow(slice: RegisteredSlice): Golden[] {
  return Object.entries(definitionsOf(slice)).map(([type, { schemaVersion, payload }]) => ({
    type,
    version: schemaVersion,
    example: null,
    // Every slice's schemas are zod's; the domain itself relies on less.
    schema: z.toJSONSchema(payload as z.ZodType),
  }));
}

/**
 * Why this release could not read what an older one has written, or would write something else under a version that is taken:
 * each with what to do. `written` are the golden files of the slice.
 */
export function findProblems(slice: RegisteredSlice, written: readonly Golden[]): string[] {
  const definitions = definitionsOf(slice);
  const gone = written.filter(({ type }) => !Object.hasOwn(definitions, type)).map((golden) => problemOfGone(golden));
  const needed = goldenNow(slice).flatMap((now) => problemsOfSchema(slice, now, written));
  const kept = written.filter(({ type }) => Object.hasOwn(definitions, type)).flatMap((golden) => problemsOfExample(slice, definitions[golden.type]!, golden));
  return [...gone, ...needed, ...kept];
}

function definitionsOf({ commands, events }: RegisteredSlice): Readonly<Record<string, Definition>> {
  return { ...commands, ...events };
}

function problemOfGone(golden: Golden): string {
  return `${nameOf(golden)} is of no message any more. An event stays for as long as its log: define it again. A command's file may go once no such command waits.`;
}

function problemsOfSchema({ aggregateType, upcasters }: RegisteredSlice, now: Golden, written: readonly Golden[]): string[] {
  const { type, version } = now;
  const versions = written.filter((golden) => golden.type === type);
  const problems = versions
    .filter((golden) => golden.version > version)
    .map((golden) => `${nameOf(golden)} is newer than the version ${version} in catalogue.ts: versions only go up.`);
  for (let before = 1; before < version; before += 1) {
    if (!versions.some((golden) => golden.version === before)) problems.push(`${nameOf({ type, version: before })} is missing: what was written once is read for ever. Restore it.`);
    if (upcasters[type]?.[before] === undefined) problems.push(`${type} needs an upcaster from version ${before}: upcasters.${type}[${before}] of the slice ${aggregateType}.`);
  }
  const same = versions.find((golden) => golden.version === version);
  if (same === undefined) problems.push(`${nameOf(now)} is missing: run \`npm run check:schemas -- --write\`, and give it an example.`);
  else if (!isDeepStrictEqual(same.schema, now.schema)) {
    problems.push(
      `The schema of ${type} is not the one in ${nameOf(now)}, with which it has been written. Undo the change; or set schemaVersion ${version + 1} in ` +
        `catalogue.ts, give upcasters.${type}[${version}] of the slice ${aggregateType}, run \`npm run check:schemas -- --write\`, and give the new file an example.`,
    );
  }
  return problems;
}

function problemsOfExample(slice: RegisteredSlice, { schemaVersion, payload }: Definition, golden: Golden): string[] {
  if (golden.example === null) return [`${nameOf(golden)} needs an example: a payload as it is written.`];
  if (golden.version > schemaVersion) return [];
  try {
    const read = upcast(slice, { type: golden.type, schemaVersion: golden.version, payload: golden.example });
    const result = payload.safeParse(read === 'newer' ? undefined : read.payload);
    if (result.success) return [];
    const [issue] = result.error.issues;
    return [`The example of ${nameOf(golden)} does not fit the schema of version ${schemaVersion}: ${issue?.path.join('.')} ${issue?.message}`];
  } catch (error) {
    return [`The example of ${nameOf(golden)} cannot be brought to version ${schemaVersion}: ${String(error)}`];
  }
}
