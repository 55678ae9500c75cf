import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A client by its frames alone: five hundred of supabase-js in one process would measure supabase-js. */
export interface Listener {
  /** In the order in which they came. */
  readonly heard: readonly { readonly position: number; readonly at: number }[];
  /** Resolves when this position has come. */
  reached(position: number): Promise<void>;
  close(): void;
}

interface Target {
  readonly apiUrl: string;
  readonly publishableKey: string;
  readonly tenantId: string;
  readonly token: string;
}

/** Resolves when the gateway has admitted it to the tenant's channel. */
export async function joinTenant({ apiUrl, publishableKey, tenantId, token }: Target): Promise<Listener> {
  const socket = new WebSocket(`${apiUrl.replace('http', 'ws')}/realtime/v1/websocket?apikey=${publishableKey}&vsn=2.0.0`);
  await once(socket, 'open');
  const topic = `realtime:tenant:${tenantId}:events`;
  socket.send(JSON.stringify(['1', '1', topic, 'phx_join', { config: { private: true }, access_token: token }]));
  const [reply] = (await once(socket, 'message')) as [Buffer];
  if (!reply.includes('"status":"ok"')) throw new Error(`The gateway does not admit a client: ${reply.toString()}`);

  const heard: { position: number; at: number }[] = [];
  let wanted = Infinity;
  const there = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer, isBinary) => {
    const at = performance.now();
    if (!isBinary) return;
    const position = positionOf(data);
    heard.push({ position, at });
    if (position >= wanted) there.resolve();
  });
  return {
    heard,
    async reached(position) {
      wanted = position;
      if (heard.some((each) => each.position >= position)) return;
      await there.promise;
    },
    close: () => socket.terminate(),
  };
}

/** Of the append that a broadcast tells of. The frame: five bytes, of which three are the lengths of what stands before the payload. */
function positionOf(frame: Buffer): number {
  const [, topic = 0, event = 0, meta = 0] = frame;
  const { fromPosition } = JSON.parse(frame.subarray(5 + topic + event + meta).toString()) as { fromPosition: number };
  return fromPosition;
}
