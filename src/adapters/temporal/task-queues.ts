import type { ClaimedCommand } from '../../ports/command-queue.ts';

export function sharedCommandQueues(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `intent-commands-${index}`);
}

export function dedicatedCommandQueue(tenantId: string): string {
  return `intent-commands-tenant-${tenantId}`;
}

/** Where a command's workflow runs: its tenant's own queue, or the shared one that the tenant's id hashes to. */
export function commandQueueFor({ tenantId, isolation }: Pick<ClaimedCommand, 'tenantId' | 'isolation'>, sharedCount: number): string {
  return isolation === 'dedicated' ? dedicatedCommandQueue(tenantId) : `intent-commands-${hash(tenantId) % sharedCount}`;
}

/** FNV-1a, 32 bits: the same in every process and release, so that a tenant keeps its queue. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
