import { describe, expect, it } from 'vitest';
import { createHandovers } from './handovers.ts';

describe('the handovers under way', () => {
  it('are counted until they are over', async () => {
    const handovers = createHandovers();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    handovers.add(first.promise);
    handovers.add(second.promise);
    expect(handovers.count()).toBe(2);
    second.resolve();
    await handovers.oneIsOver();
    expect(handovers.count()).toBe(1);
    first.resolve();
    await handovers.allAreOver();
    expect(handovers.count()).toBe(0);
  });

  it('keep what one of them throws until it is asked for', async () => {
    const handovers = createHandovers();
    handovers.add(Promise.reject(new Error('Temporal is away')));
    await handovers.oneIsOver();
    expect(() => handovers.throwFault()).toThrow('Temporal is away');
  });

  it('forget what they threw, once that was waited out', async () => {
    const handovers = createHandovers();
    handovers.add(Promise.reject(new Error('Temporal is away')));
    await handovers.allAreOver();
    handovers.forgetFaults();
    expect(() => handovers.throwFault()).not.toThrow();
  });
});
