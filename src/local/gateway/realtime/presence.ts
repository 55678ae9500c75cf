import { randomUUID } from 'node:crypto';

/** What one connection says of itself. */
export type Meta = Readonly<Record<string, unknown>> & { readonly phx_ref: string; readonly phx_ref_prev?: string };

/** By key; a key may be present by several connections. As the wire has it. */
export type Presences = Readonly<Record<string, { readonly metas: readonly Meta[] }>>;

export interface PresenceDiff {
  readonly joins: Presences;
  readonly leaves: Presences;
}

/** One connection to a topic. */
export interface Attendant {
  readonly key: string;
  onDiff(diff: PresenceDiff): void;
}

/** Who is present on which topic, and who looks on. In memory: presence ends with the connection. */
export interface PresenceBoard {
  list(topic: string): Presences;
  /** From now on it is told of every change. */
  watch(topic: string, attendant: Attendant): void;
  /** Present from now on, or with something else to say. */
  track(topic: string, attendant: Attendant, payload: Readonly<Record<string, unknown>>): void;
  untrack(topic: string, attendant: Attendant): void;
  /** Neither present nor looking on any more. */
  leave(topic: string, attendant: Attendant): void;
}

interface Topic {
  readonly watching: Set<Attendant>;
  readonly present: Map<Attendant, Meta>;
}

export function createPresenceBoard(): PresenceBoard {
  const topics = new Map<string, Topic>();

  return {
    list: (topic) => group([...(topics.get(topic)?.present ?? [])]),

    watch: (topic, attendant) => void open(topic).watching.add(attendant),

    track(topic, attendant, payload) {
      const { present } = open(topic);
      const before = present.get(attendant);
      const now = { ...payload, phx_ref: randomUUID(), ...(before && { phx_ref_prev: before.phx_ref }) };
      present.set(attendant, now);
      tell(topic, group([[attendant, now]]), before === undefined ? {} : group([[attendant, before]]));
    },

    untrack,

    leave(topic, attendant) {
      topics.get(topic)?.watching.delete(attendant);
      untrack(topic, attendant);
      const left = topics.get(topic);
      if (left !== undefined && left.watching.size + left.present.size === 0) topics.delete(topic);
    },
  };

  function open(topic: string): Topic {
    const opened = topics.get(topic) ?? { watching: new Set(), present: new Map() };
    topics.set(topic, opened);
    return opened;
  }

  function untrack(topic: string, attendant: Attendant): void {
    const present = topics.get(topic)?.present;
    const before = present?.get(attendant);
    if (before === undefined) return;
    present!.delete(attendant);
    tell(topic, {}, group([[attendant, before]]));
  }

  function tell(topic: string, joins: Presences, leaves: Presences): void {
    for (const { onDiff } of [...open(topic).watching]) onDiff({ joins, leaves });
  }
}

function group(present: readonly (readonly [Attendant, Meta])[]): Presences {
  const metas = Map.groupBy(present, ([{ key }]) => key);
  return Object.fromEntries([...metas].map(([key, those]) => [key, { metas: those.map(([, meta]) => meta) }]));
}
