import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `npm start` writes to `.intent/stack.json`, as far as a client needs it. */
export interface Connection {
  readonly apiUrl: string;
  readonly publishableKey: string;
  readonly users: readonly { readonly email: string; readonly password: string; readonly tenants: readonly { readonly tenantId: string }[] }[];
}

/** Of the running `npm start`. While none is ready it says so, and ends the process with 1. */
export async function readConnection(file = process.argv[2] ?? join(process.env['INTENT_DIR'] || '.intent', 'stack.json')): Promise<Connection> {
  if (!existsSync(file)) {
    console.error(`No stack is ready here (there is no ${file}): run \`npm start\` in another terminal, and wait until it says "Ready".`);
    process.exit(1);
  }
  return JSON.parse(await readFile(file, 'utf8')) as Connection;
}
