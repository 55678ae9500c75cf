const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * PostgreSQL's text is UTF-8 without U+0000. What is none of it ends as a fault somewhere behind us, or is cut short without a word.
 */
export function isText(bytes: Uint8Array): boolean {
  try {
    return !utf8.decode(bytes).includes('\0');
  } catch {
    return false;
  }
}

/** The bytes of which a target or a header consists: Node hands each of them out as the character of its number. */
export function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

/** Escapes that are none stay as they are. */
export function percentDecode(latin1: string): Buffer {
  return bytesOf(latin1.replace(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16))));
}
