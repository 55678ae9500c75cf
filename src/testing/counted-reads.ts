/**
 * A value that counts how many of its properties are read, at any depth, also in what is made of it: whatever copies an object reads
 * all of it. It can be neither written to nor frozen.
 */
export function createReadCounter() {
  const counted = new WeakSet<object>();
  let reads = 0;

  function count<Value>(value: Value): Value {
    if (typeof value !== 'object' || value === null || counted.has(value)) return value;
    const proxy = new Proxy(value, {
      get(target, key, receiver) {
        reads += 1;
        return count(Reflect.get(target, key, receiver) as unknown);
      },
      ownKeys(target) {
        const keys = Reflect.ownKeys(target);
        reads += keys.length;
        return keys;
      },
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
    });
    counted.add(proxy);
    return proxy;
  }

  return { count, reads: () => reads };
}

function refuse(): never {
  throw new Error('What a caller holds is changed.');
}
