/**
 * A record that can have many entries and is changed one by one: each change gives a new record, and copies a few small objects
 * instead of all entries. For states whose entries are as many as a stream has events: `{ ...record, [key]: value }` in `evolve` makes a
 * fold quadratic. It is plain JSON, as a state must be, and what it looks like depends on its entries alone, not on their history.
 */
export type PersistentRecord<Value> = Leaf<Value> | Branch<Value>;

interface Leaf<Value> {
  readonly size: number;
  readonly entries: Readonly<Record<string, Value>>;
}

interface Branch<Value> {
  readonly size: number;
  /** By four bits of the key's hash, others at each depth. */
  readonly children: Readonly<Record<string, PersistentRecord<Value>>>;
}

const bitsPerDepth = 4;
/** All bits of the hash are used up: keys of the same hash share a leaf. */
const maxDepth = 32 / bitsPerDepth;
const maxLeafSize = 16;

export const emptyRecord: PersistentRecord<never> = { size: 0, entries: {} };

export function valueOf<Value>(record: PersistentRecord<Value>, key: string): Value | undefined {
  const hash = hashOf(key);
  let node: PersistentRecord<Value> | undefined = record;
  for (let depth = 0; node !== undefined && 'children' in node; depth += 1) node = node.children[digitOf(hash, depth)];
  return node !== undefined && Object.hasOwn(node.entries, key) ? node.entries[key] : undefined;
}

/** In no particular order. */
export function entriesOf<Value>(record: PersistentRecord<Value>): readonly (readonly [key: string, value: Value])[] {
  return 'children' in record ? Object.values(record.children).flatMap(entriesOf) : Object.entries(record.entries);
}

export function withEntry<Value>(record: PersistentRecord<Value>, key: string, value: Value): PersistentRecord<Value> {
  return put(record, { key, hash: hashOf(key), value }, 0);
}

export function withoutEntry<Value>(record: PersistentRecord<Value>, key: string): PersistentRecord<Value> {
  return remove(record, key, hashOf(key), 0);
}

interface Entry<Value> {
  readonly key: string;
  readonly hash: number;
  readonly value: Value;
}

function put<Value>(record: PersistentRecord<Value>, entry: Entry<Value>, depth: number): PersistentRecord<Value> {
  if (!('children' in record)) return putIntoLeaf(record, entry, depth);
  const digit = digitOf(entry.hash, depth);
  const before = record.children[digit] ?? emptyRecord;
  const after = put(before, entry, depth + 1);
  return { size: record.size - before.size + after.size, children: { ...record.children, [digit]: after } };
}

function putIntoLeaf<Value>({ size, entries }: Leaf<Value>, { key, hash, value }: Entry<Value>, depth: number): PersistentRecord<Value> {
  if (size < maxLeafSize || depth === maxDepth || Object.hasOwn(entries, key)) {
    return { size: Object.hasOwn(entries, key) ? size : size + 1, entries: { ...entries, [key]: value } };
  }
  const all = Object.entries(entries).map(([other, otherValue]) => ({ key: other, hash: hashOf(other), value: otherValue }));
  return [...all, { key, hash, value }].reduce<PersistentRecord<Value>>((branch, entry) => put(branch, entry, depth), { size: 0, children: {} });
}

function remove<Value>(record: PersistentRecord<Value>, key: string, hash: number, depth: number): PersistentRecord<Value> {
  if (!('children' in record)) {
    if (!Object.hasOwn(record.entries, key)) return record;
    const { [key]: _removed, ...entries } = record.entries;
    return { size: record.size - 1, entries };
  }
  const digit = digitOf(hash, depth);
  const before = record.children[digit];
  if (before === undefined) return record;
  const after = remove(before, key, hash, depth + 1);
  if (after === before) return record;
  const { [digit]: _before, ...others } = record.children;
  const branch = { size: record.size - 1, children: after.size === 0 ? others : { ...others, [digit]: after } };
  return branch.size > maxLeafSize ? branch : { size: branch.size, entries: Object.fromEntries(entriesOf(branch)) };
}

function digitOf(hash: number, depth: number): string {
  return String((hash >>> (depth * bitsPerDepth)) & (2 ** bitsPerDepth - 1));
}

/** FNV-1a over the key's code units, then stirred so that each bit counts. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
