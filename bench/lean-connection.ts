import type { Socket } from 'node:net';
import pg from 'pg';

export type Value = string | null;

export interface LeanConnection {
  /** Runs the statement; the rows are not looked at. Throws what the server says. One at a time. */
  run(values: readonly Value[]): Promise<void>;
  close(): Promise<void>;
}

const statementName = 's';
const headerBytes = 5;
const readyForQuery = 'Z'.charCodeAt(0);
const errorResponse = 'E'.charCodeAt(0);

/**
 * A connection that runs one prepared statement again and again and costs this process as little as can be, because client and
 * server share the processors: `pg` connects, then we write Bind, Execute and Sync to its socket ourselves, and of the answer
 * look at the message types only.
 */
export async function openLeanConnection(url: string, statement: string, setUp?: string): Promise<LeanConnection> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  if (setUp !== undefined) await client.query(setUp);
  // pg keeps its socket to itself, and its types do not show it.
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.removeAllListeners('data');

  let answered: PromiseWithResolvers<void> | undefined;
  let failure: Error | undefined;
  let unread: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    let start = 0;
    while (unread.length - start >= headerBytes) {
      const end = start + 1 + unread.readUInt32BE(start + 1);
      if (end > unread.length) break;
      if (unread[start] === errorResponse) failure = new Error(unread.toString('utf8', start + headerBytes, end).replaceAll('\0', ' '));
      if (unread[start] === readyForQuery) settle();
      start = end;
    }
    unread = unread.subarray(start);
  });
  stream.on('close', () => {
    failure = new Error('The connection has ended.');
    settle();
  });

  function settle(): void {
    const call = answered;
    answered = undefined;
    if (failure === undefined) call?.resolve();
    else call?.reject(failure);
    failure = undefined;
  }

  async function send(bytes: Buffer): Promise<void> {
    if (stream.destroyed) throw new Error('The connection has ended.');
    answered = Promise.withResolvers<void>();
    stream.write(bytes);
    return answered.promise;
  }

  const parse = message('P', Buffer.from(`${statementName}\0${statement}\0\0\0`));
  try {
    await send(Buffer.concat([parse, message('S', Buffer.alloc(0))]));
  } catch (error) {
    await client.end();
    throw error;
  }
  return { run: (values) => send(bindExecuteSync(values)), close: () => client.end() };
}

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(type);
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

const bindHead = Buffer.from(`\0${statementName}\0\0\0`);
const resultsAsText = Buffer.from('\0\0');
const executeSync = Buffer.concat([message('E', Buffer.from('\0\0\0\0\0')), message('S', Buffer.alloc(0))]);

function bindExecuteSync(values: readonly Value[]): Buffer {
  const lengths = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const bodyBytes = bindHead.length + 2 + lengths.reduce((sum, length) => sum + 4 + length, 0) + resultsAsText.length;
  const bytes = Buffer.allocUnsafe(headerBytes + bodyBytes + executeSync.length);
  let at = bytes.write('B');
  at = bytes.writeUInt32BE(bodyBytes + 4, at);
  at += bindHead.copy(bytes, at);
  at = bytes.writeUInt16BE(values.length, at);
  values.forEach((value, index) => {
    at = bytes.writeInt32BE(value === null ? -1 : lengths[index]!, at);
    if (value !== null) at += bytes.write(value, at);
  });
  at += resultsAsText.copy(bytes, at);
  executeSync.copy(bytes, at);
  return bytes;
}
