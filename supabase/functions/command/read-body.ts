import { Problem } from './problem.ts';

const maxBodyBytes = 256 * 1024;
const jsonInUtf8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** The body's bytes. Throws IN415 for another type or encoding, IN413 above 256 KiB, counted while it streams. */
export async function readBody(request: Request): Promise<Uint8Array> {
  if (!jsonInUtf8.test(request.headers.get('Content-Type') ?? '')) {
    throw new Problem('IN415', 'Send Content-Type: application/json, in UTF-8.');
  }
  if ((request.headers.get('Content-Encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('IN415', 'Send the body without Content-Encoding.');
  }
  // The header spares reading what is too large by its own account; it is not trusted otherwise.
  if (Number(request.headers.get('Content-Length')) > maxBodyBytes) throw tooLarge();

  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return concatenate(chunks, size);
}

function tooLarge(): Problem {
  return new Problem('IN413', `The body may have ${maxBodyBytes} bytes at most.`);
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
