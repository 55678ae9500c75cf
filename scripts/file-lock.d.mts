/** See file-lock.mjs. */
export function withFileLock<T>(
  path: string,
  onWait: (holder: string) => void,
  work: (alsoHeldBy: (pid: number) => void) => Promise<T>,
): Promise<T>;
