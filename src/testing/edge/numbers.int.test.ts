import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { survivesDouble } from '../../../supabase/functions/command/numbers.ts';
import { createTestDatabase } from '../database.ts';
import { claimsOf, connect, createTenant, queryAs } from '../tenant.ts';

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const whole = digits(20).map((text) => text.replace(/^0+(?=\d)/, ''));
/** As people and programs write them, and around the numbers at which doubles end or change their step. */
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.constantFrom('', '-'), whole, fc.option(digits(25)), fc.option(fc.integer({ min: -340, max: 320 }))).map(
    ([sign, before, after, exponent]) => `${sign}${before}${after === null ? '' : `.${after}`}${exponent === null ? '' : `e${exponent}`}`,
  ),
  // Powers of two, where the step changes and PostgreSQL writes a digit more than JavaScript.
  fc.integer({ min: -1_074, max: 1_023 }).map((exponent) => String(2 ** exponent)),
  fc.constantFrom('0', '-0', '0.0', '0e400', '1.0', '1e-400', '5e-324', '4e-324', '2.5e-324', '1.7976931348623157e308', '1.7976931348623159e308', '1e400',
    '4503599627370496.5', '5.0000000000000000001', '9007199254740993', '9007199254740992', '1152921504606846976', '5.684341886080802e-14', '0.1', '1e21'),
);

describe('a number', () => {
  it('survives in the function and in SQL alike, whatever its text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(numberText, { minLength: 50, maxLength: 200 }), async (texts) => {
        const { rows } = await db.admin.query<{ survives: boolean }>(
          `select intent.lossy_number(jsonb_build_object('n', number::jsonb)) is null as survives from unnest($1::text[]) with ordinality as t (number, n) order by n`,
          [texts],
        );
        const [here, there] = [texts.map((text) => [text, survivesDouble(text)]), texts.map((text, index) => [text, rows[index]!.survives])];
        expect(there).toEqual(here);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['4503599627370496.5', false],
    ['5.0000000000000000001', false],
    ['1e-400', false],
    ['1E400', false],
    ['9007199254740993', false],
    ['1.0', true],
    ['-0', true],
    ['0.1', true],
    ['100e-2', true],
    ['5e-324', true],
    ['1.7976931348623157e308', true],
  ])('%s survives: %s', (text, survives) => {
    expect(survivesDouble(text)).toBe(survives);
  });

  it('that JavaScript itself has written always survives', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => survivesDouble(String(number))), { numRuns: 1_000 });
  });

  it.each(['4503599627370496.5', '5.0000000000000000001', '1e-400'])('%s in a payload is refused with its path, and no row', async (text) => {
    const tenant = await createTenant(db.admin);
    const payload = `{ "name": "x", "a/b": [0, { "limit": ${text} }] }`;
    const submit = `select api.submit_command(gen_random_uuid(), 'OpenBudget', 'budget', 'groceries', $1)`;
    await expect(queryAs(db.admin, claimsOf(tenant, 'owner'), submit, [payload])).rejects.toMatchObject({
      code: 'IN422', message: 'payload/a~1b/1/limit is a number that is not the same as a double',
    });
    const { rows } = await db.admin.query('select from intent.commands where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toEqual([]);
  });
});
