/** What runs on it. */
export type Work = 'commands' | 'processes';

export interface QueueOwner {
  readonly tenantId: string;
  readonly isolation: 'shared' | 'dedicated';
}

const works: readonly Work[] = ['commands', 'processes'];

export function sharedQueues(count: number): readonly string[] {
  return works.flatMap((work) => Array.from({ length: count }, (_, index) => sharedQueue(work, index)));
}

export function dedicatedQueues(tenantId: string): readonly string[] {
  return works.map((work) => `${dedicatedQueuePrefix(work)}${tenantId}`);
}

/** Where a tenant's workflows run: on its own queue, or on the shared one that its id hashes to. */
export function queueFor(work: Work, { tenantId, isolation }: QueueOwner, sharedCount: number): string {
  return isolation === 'dedicated' ? `${dedicatedQueuePrefix(work)}${tenantId}` : sharedQueue(work, hash(tenantId) % sharedCount);
}

export function dedicatedQueuePrefix(work: Work): string {
  return `intent-${work}-tenant-`;
}

function sharedQueue(work: Work, index: number): string {
  return `intent-${work}-${index}`;
}

/** FNV-1a, 32 bits: the same in every process and release, so that a tenant keeps its queue. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
