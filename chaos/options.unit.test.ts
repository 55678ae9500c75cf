import { describe, expect, it } from 'vitest';
import { faults } from './faults/faults.ts';
import { listFaults, readOptions } from './options.ts';

const plain = [...faults.values()].filter(({ needsCluster }) => needsCluster !== true).map(({ name }) => name);

describe('the options', () => {
  it('are ten minutes of every fault where nothing is said', () => {
    expect(readOptions([])).toMatchObject({ minutes: 10, seed: undefined, faultNames: plain, keep: false });
  });

  it('choose faults by name and by family', () => {
    expect(readOptions(['--faults', 'kill-pump,supplier']).faultNames).toEqual(['kill-pump', 'stop-supplier', 'pause-supplier']);
  });

  it('say where the pumps and the database are, and leave them where they are if nothing is said', () => {
    expect(readOptions([])).toMatchObject({ isEmbedded: false, isHosted: false, isPooled: false });
    expect(readOptions(['--embedded', '--pooled'])).toMatchObject({ isEmbedded: true, isHosted: false, isPooled: true });
    expect(readOptions(['--hosted'])).toMatchObject({ isEmbedded: false, isHosted: true, isPooled: false });
  });

  it('kill each of the eight processes of a cluster, if Temporal is one, beside all that is done to a single one', () => {
    const { isCluster, faultNames } = readOptions(['--cluster']);
    expect(isCluster).toBe(true);
    expect(faultNames.filter((name) => /^kill-temporal-\w+-[12]$/.test(name))).toHaveLength(8);
    expect(faultNames).toEqual(expect.arrayContaining(plain));
    expect(plain).not.toContain('kill-temporal-history-1');
  });

  it.each([
    [['--faults', 'kill-temporal-history-1'], 'kill-temporal-history-1 needs --cluster'],
    [['--faults', 'nonsense'], 'no fault nonsense'],
    [['--seed', 'x'], '--seed needs a number'],
    [['--minutes', '-1'], '--minutes'],
    [['--what'], 'what'],
  ])('refuse %j, and say why', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it('list every fault', () => {
    for (const name of faults.keys()) expect(listFaults()).toContain(`  ${name} `);
  });
});
