/** As people write it. */
export function formatCents(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** Of a number field. */
export function readCents(input: HTMLInputElement): number {
  return Math.round(input.valueAsNumber * 100);
}
