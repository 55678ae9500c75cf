/** As `Promise.all`, but throws only when all of them are over: nothing goes on behind the caller's back. */
export async function settleAll<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
