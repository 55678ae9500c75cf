/** Those of a small Supabase project, so that what would fail there fails here. */
export const maxChannelsPerSocket = 100;
export const maxBroadcastBytes = 256 * 1024;

/** Of the Pro plan; the free one has 200. */
export const maxSockets = 500;

/** A frame from a client holds at most a join with its token (8 KiB). */
export const maxFrameBytes = 64 * 1024;

/** A client that connects again sends a join and a token for each of its hundred channels. */
export const maxFramesPerSecond = 300;

/** A socket that reads too slowly is cut off, and its client joins again and catches up. */
export const maxBufferedBytes = 8 * 1024 * 1024;

/** Clients send a heartbeat every 25 s. */
export const silenceMs = 60_000;

/** How long a socket may take to say goodbye when the gateway stops. */
export const goodbyeMs = 1_000;

export const probeTimeoutMs = 5_000;
