import fc from 'fast-check';

/** Texts on which parsers, databases and logs have stumbled; chance alone would hardly find them. */
const known = [
  '', '\0', 'a\0b', '\ud800', '\u{10ffff}', '\u202e', '\r\nX-A: b', "'", `' or true --`, '%', '%00', '../..', '{}', '[]', 'null',
  '__proto__', 'constructor', 'toString', '${7*7}', '1e999', '-0', 'İ', 'ß'.repeat(40),
];

/** Any text, and every so often one of the known ones, alone or within another. */
export function hostileText(maxLength: number): fc.Arbitrary<string> {
  const any = fc.string({ unit: 'binary', maxLength });
  const one = fc.constantFrom(...known);
  return fc.oneof(any, one, fc.tuple(any, one).map(([before, after]) => before + after));
}
