import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from './private-file.ts';
import { StackError } from './stack-error.ts';

const stackInfoSchema = z.object({
  apiUrl: z.string(),
  publishableKey: z.string(),
  databaseUrl: z.string(),
  /** `starting`: commands are taken, and executed when the engine is there. */
  engine: z.enum(['temporal', 'inline', 'starting']),
  /** Absent with another engine. `uiUrl` is null if the server is not ours. */
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().nullable() }).optional(),
  users: z.array(
    z.object({
      email: z.string(),
      password: z.string(),
      tenants: z.array(z.object({ tenantId: z.string(), name: z.string(), role: z.enum(['owner', 'member', 'guest']) })),
    }),
  ),
});

/** What others need to use a running stack, in `stack.json`, which is there exactly while the stack takes commands. */
export type StackInfo = z.infer<typeof stackInfoSchema>;

export function writeStackInfo(directory: string, info: StackInfo): void {
  writePrivateFile(file(directory), `${JSON.stringify(info, null, 2)}\n`);
}

/** `undefined` while no stack is ready there. */
export function readStackInfo(directory: string): StackInfo | undefined {
  try {
    return stackInfoSchema.parse(JSON.parse(readFileSync(file(directory), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Throws `StackError` while no stack is ready there. */
export function requireStackInfo(directory: string): StackInfo {
  const info = readStackInfo(directory);
  if (info === undefined) throw new StackError('No stack is ready here.', 'Run `npm start` in another terminal, and wait until it says "Ready".');
  return info;
}

export function removeStackInfo(directory: string): void {
  rmSync(file(directory), { force: true });
}

function file(directory: string): string {
  return join(directory, 'stack.json');
}
