import type { Follower } from './follow-messages.ts';

export interface LateFollower extends Follower {
  /** Begins to follow, if it has not yet. */
  begin(): void;
}

/** Follows from the first join on, as Supabase's Realtime after a project without users was let go: what commits before is not streamed. */
export function createLateFollower(follow: () => Promise<Follower>, log: (line: string) => void): LateFollower {
  let following: Promise<Follower | null> | undefined;
  let follower: Follower | null = null;
  return {
    begin() {
      following ??= follow().then(
        (begun) => (follower = begun),
        (error: Error) => {
          log(`realtime: cannot follow: ${error.message}`);
          following = undefined;
          return null;
        },
      );
    },
    isStreaming: () => follower?.isStreaming() ?? false,
    async stop() {
      await (await following)?.stop();
    },
  };
}
