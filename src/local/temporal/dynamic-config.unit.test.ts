import { describe, expect, test } from 'vitest';
import { dynamicConfigFlags } from './dynamic-config.ts';

describe('dynamicConfigFlags', () => {
  test('makes one flag of each key, with the value as JSON', () => {
    const yaml = 'a.flag:\n  - value: true\na.number:\n  - value: 7\na.text:\n  - value: seven\n';
    expect(dynamicConfigFlags(yaml)).toEqual([
      ...['--dynamic-config-value', 'a.flag=true'],
      ...['--dynamic-config-value', 'a.number=7'],
      ...['--dynamic-config-value', 'a.text="seven"'],
    ]);
  });

  test('refuses a constraint, which no flag can say', () => {
    expect(() => dynamicConfigFlags('a.key:\n  - value: 7\n    constraints:\n      namespace: other\n')).toThrow('constraints');
  });

  test('refuses a second value, which no flag can say', () => {
    expect(() => dynamicConfigFlags('a.key:\n  - value: 7\n  - value: 8\n')).toThrow('Too big');
  });
});
