/**
 * Calls back when a browser shows its page again or is back on the network: its timers and sockets may have slept.
 * Elsewhere there is nothing to listen to. The result stops it.
 */
export function onWakeUp(callback: () => void): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  globalThis.document?.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && callback(), { signal });
  globalThis.window?.addEventListener('online', callback, { signal });
  return () => listening.abort();
}
