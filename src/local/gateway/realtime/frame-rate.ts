/** Counts what a client sends. `now` in milliseconds. False: more than `maxPerSecond` within this second. */
export function createFrameRate(maxPerSecond: number, now: () => number = Date.now): () => boolean {
  let second = 0;
  let frames = 0;
  return () => {
    const thisSecond = Math.floor(now() / 1000);
    frames = thisSecond === second ? frames + 1 : 1;
    second = thisSecond;
    return frames <= maxPerSecond;
  };
}
