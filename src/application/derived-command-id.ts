import type { ProcessReference } from '../ports/process-store.ts';

/**
 * The id of the n-th command of a step: the same whenever that step is taken again, and no other's. A UUID of version 8
 * (RFC 9562): the first half of a SHA-256.
 */
export async function derivedCommandId({ tenantId, process, key }: ProcessReference, step: number, index: number): Promise<string> {
  const name = JSON.stringify([tenantId, process, key, step, index]);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name)));
  const hex = [...hash.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'.charAt((hash[8] ?? 0) % 4);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
