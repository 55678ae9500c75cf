import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone that this code runs from. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Where the local stack keeps its data: `INTENT_DIR`, else `.intent` in the clone. */
export function intentDirectory(): string {
  const { INTENT_DIR } = process.env;
  return resolve(INTENT_DIR || resolve(projectRoot, '.intent'));
}
