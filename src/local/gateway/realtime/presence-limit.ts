/** Supabase's, for each channel of each client. */
const maxEvents = 5;
const windowMs = 30_000;

/** Counts what a client says of itself. `now` in milliseconds. False: one too many, and the channel is closed. */
export function createPresenceLimit(now: () => number = () => performance.now()): () => boolean {
  let events = 0;
  let endsAt = 0;
  return () => {
    const time = now();
    if (time >= endsAt) [events, endsAt] = [0, time + windowMs];
    events += 1;
    return events <= maxEvents;
  };
}
