/**
 * Whether a number of a JSON text is the same after it was read as a double and written again, as every reader in JavaScript does:
 * its value must be that of the shortest decimal that names the nearest double. `1.0`, `-0` and `0.1` survive; `1e-400` (0) and
 * `4503599627370496.5` (…496) do not. PostgreSQL holds payloads against the same rule (intent.survives_double).
 */
export function survivesDouble(text: string): boolean {
  return canonical(text) === canonical(String(Number(text)));
}

/** Sign, digits and exponent of a decimal's value, without zeros that say nothing. */
function canonical(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
