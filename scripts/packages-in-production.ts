import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface Package {
  readonly name: string;
  readonly version: string;
  /** As its package.json declares it, else `undeclared`. */
  readonly licence: string;
}

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string(), license: z.string().optional(), dev: z.boolean().optional() })),
});
const manifestSchema = z.object({ license: z.string().optional() });
const denoSchema = z.object({ imports: z.record(z.string(), z.string().regex(/^npm:.+@[^@]+$/)) });

/** Every package that worker, pump, migration or Edge Function may load, on any platform, sorted by name. */
export function packagesInProduction(root: string): Package[] {
  const lock = lockSchema.parse(readJson(root, 'package-lock.json'));
  const installed = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version, license }]) => {
      const licence = declaredIn(join(root, path)) ?? license ?? 'undeclared';
      return { name: path.replace(/^.*node_modules\//, ''), version, licence };
    });

  const deno = denoSchema.parse(readJson(root, 'supabase/functions/command/deno.json'));
  const ofTheFunction = Object.values(deno.imports).map((specifier) => {
    const [, name, version] = /^npm:(.+)@(.+)$/.exec(specifier)!;
    return { name: name!, version: version!, licence: declaredIn(join(root, 'node_modules', name!)) ?? 'undeclared' };
  });

  const unique = new Map([...installed, ...ofTheFunction].map((one) => [`${one.name} ${one.version}`, one]));
  return [...unique.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Packages of other platforms are not installed: the lock file repeats what they declare. */
function declaredIn(directory: string): string | undefined {
  return existsSync(directory) ? manifestSchema.parse(readJson(directory, 'package.json')).license : undefined;
}

function readJson(directory: string, path: string): unknown {
  return JSON.parse(readFileSync(join(directory, path), 'utf8'));
}
