import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRecord, entriesOf, type PersistentRecord, valueOf, withEntry, withoutEntry } from './persistent-record.ts';

const keys = Array.from({ length: 60 }, (_, n) => `order-${n}`);
const change = fc.record({ key: fc.constantFrom(...keys, '__proto__', 'constructor', ''), value: fc.option(fc.integer()) });

function changed(record: PersistentRecord<number>, { key, value }: { key: string; value: number | null }): PersistentRecord<number> {
  return value === null ? withoutEntry(record, key) : withEntry(record, key, value);
}

describe('a persistent record', () => {
  it('holds what a Map holds after the same changes, and every record before is as it was', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const map = new Map<string, number>();
        let record: PersistentRecord<number> = emptyRecord;
        for (const each of changes) {
          const before = JSON.stringify(record);
          const after = changed(record, each);
          expect(JSON.stringify(record)).toBe(before);
          if (each.value === null) map.delete(each.key);
          else map.set(each.key, each.value);
          record = after;
        }
        expect(record.size).toBe(map.size);
        expect(new Map(entriesOf(record))).toEqual(map);
        for (const key of [...keys, '__proto__', 'constructor', 'toString']) expect(valueOf(record, key)).toBe(map.get(key));
      }),
    );
  });

  it('looks the same whatever its history, and after a way through JSON', () => {
    const entries = keys.map((key, index) => ({ key, value: index }));
    const build = (order: readonly { key: string; value: number | null }[]) => order.reduce<PersistentRecord<number>>(changed, emptyRecord);
    const once = build(entries);
    const detour = build([...entries.toReversed(), ...entries.map(({ key }) => ({ key, value: null })), ...entries.toReversed()]);
    expect(detour).toEqual(once);
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
    expect(entries.slice(5).reduce((record, { key }) => withoutEntry(record, key), once)).toEqual(build(entries.slice(0, 5)));
  });
});
