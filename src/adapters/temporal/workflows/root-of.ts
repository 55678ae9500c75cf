import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

/** What an activity has thrown, out of what Temporal has wrapped around it. */
export function rootOf(error: unknown): Error {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (cause instanceof ApplicationFailure) return Object.assign(new Error(cause.message), { name: cause.type ?? cause.name });
  return cause instanceof Error ? cause : new Error(String(cause));
}
