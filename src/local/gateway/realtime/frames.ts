import { z } from 'zod';

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

/** The frame in a text, or null where there is none. */
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
