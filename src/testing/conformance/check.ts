import type { User } from './session.ts';
import type { Target } from './target.ts';

/** What checks share: they sign in seldom, because a hosted project counts it. */
export interface Context {
  readonly target: Target;
  readonly first: User;
  /** Shares no tenant with the first. */
  readonly second: User;
}

/** Something that must hold of a project. `run` throws what differs. */
export interface Check {
  readonly sentence: string;
  readonly run: (context: Context) => Promise<void>;
}
