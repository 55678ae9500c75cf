/** Those of a small Supabase project, so that what would fail there fails here. */
export const maxChannelsPerSocket = 100;

/** A payload of the free plan: its 256 KB of 1,000 bytes, 500 for what is around it, of which Realtime itself needs 6. */
export const maxBroadcastBytes = 256 * 1000 + 500 - 6;

/** Of the Pro plan; the free one has 200. */
export const maxSockets = 500;

/** Of a client. */
export const maxFrameBytes = 5_000_000;

/** A client that connects again sends a join and a token for each of its hundred channels. */
export const maxFramesPerSecond = 300;

/** A socket that reads too slowly is cut off, and its client joins again and catches up. */
export const maxBufferedBytes = 8 * 1024 * 1024;

/** Clients send a heartbeat every 25 s. */
export const silenceMs = 60_000;

/** How long a socket may take to say goodbye when the gateway stops. */
export const goodbyeMs = 1_000;

/** How often a channel that wants to know looks whether the stream stands, and how long it waits for it. */
export const replicationCheckMs = 500;
export const replicationPatienceMs = 60_000;

/** Of the free plan; Pro has 500. */
export const freePlanDeliveriesPerSecond = 100;

/** Over so long the project's deliveries are averaged. */
export const perMinuteSeconds = 60;

export const probeTimeoutMs = 5_000;
