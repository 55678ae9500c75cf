const beganAt = Number(process.env['INTENT_CONTAINERS_BEGAN_AT'] ?? Date.now());
// What is started for the run counts from the same moment.
process.env['INTENT_CONTAINERS_BEGAN_AT'] = String(beganAt);

export function say(line: string): void {
  console.log(`[${((Date.now() - beganAt) / 1000).toFixed(0).padStart(3)} s] ${line}`);
}

/** What the work took, in seconds with one digit. */
export async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; seconds: string }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) };
}
