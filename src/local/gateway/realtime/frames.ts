import { z } from 'zod';
import type { Broadcast } from './hub.ts';

export type Version = '1.0.0' | '2.0.0';

/** A frame of Phoenix channels. `topic` is the one on the wire, with its prefix. */
export interface Frame {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

export type FrameHead = Omit<Frame, 'payload'>;

const optionalRef = z.string().max(64).nullish().transform((value) => value ?? null);
/** PostgreSQL is asked for it, whose text holds no U+0000. */
const name = z.string().max(255).regex(/^[^\0]*$/);

const schemas = {
  '1.0.0': z
    .object({ join_ref: optionalRef, ref: optionalRef, topic: name, event: name, payload: z.unknown() })
    .transform(({ join_ref, ...rest }): Frame => ({ joinRef: join_ref, ...rest })),
  '2.0.0': z
    .tuple([optionalRef, optionalRef, name, name, z.unknown()])
    .transform(([joinRef, ref, topic, event, payload]): Frame => ({ joinRef, ref, topic, event, payload })),
} as const;

export function isVersion(text: string): text is Version {
  return Object.hasOwn(schemas, text);
}

/** The frame in a text, or null if there is none. */
export function decodeFrame(version: Version, text: string): Frame | null {
  try {
    return schemas[version].parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The payload comes as JSON text: a broadcast is passed on as PostgreSQL wrote it, and no number loses a digit on the way. */
export function encodeFrame(version: Version, { joinRef, ref, topic, event }: FrameHead, payloadJson: string): string {
  return version === '2.0.0'
    ? `${JSON.stringify([joinRef, ref, topic, event]).slice(0, -1)},${payloadJson}]`
    : `${JSON.stringify({ join_ref: joinRef, ref, topic, event }).slice(0, -1)},"payload":${payloadJson}}`;
}

const userBroadcastKind = 4;
const jsonEncoding = 1;
const longestBinaryName = 255;

/**
 * Version 2.0.0 has a binary frame for broadcasts, which names no join: its kind, the lengths of three names in a byte each, and the
 * payload's encoding; then topic, event, meta and payload. What a byte cannot tell goes as text.
 */
export function encodeBroadcast(
  version: Version,
  { joinRef, topic }: Pick<Frame, 'joinRef' | 'topic'>,
  { id, event, payload }: Pick<Broadcast, 'id' | 'event' | 'payload'>,
  replayed = false,
): string | Buffer {
  const meta = JSON.stringify(replayed ? { replayed, id } : { id });
  const names = [topic, event, meta].map((text) => Buffer.from(text));
  if (version === '2.0.0' && names.every(({ length }) => length <= longestBinaryName)) {
    const head = [userBroadcastKind, ...names.map(({ length }) => length), jsonEncoding];
    return Buffer.concat([Buffer.from(head), ...names, Buffer.from(payload)]);
  }
  const described = `{"event":${JSON.stringify(event)},"type":"broadcast","payload":${payload},"meta":${meta}}`;
  return encodeFrame(version, { joinRef, ref: null, topic, event: 'broadcast' }, described);
}
