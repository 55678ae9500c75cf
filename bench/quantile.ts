/** The value below which the fraction `q` of the sample lies, by nearest rank. The sample must not be empty. */
export function quantile(sample: readonly number[], q: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new Error('The sample is empty.');
  return value;
}
