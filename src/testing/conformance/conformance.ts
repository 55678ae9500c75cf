import { apiChecks } from './api-checks.ts';
import { authChecks } from './auth-checks.ts';
import type { Check } from './check.ts';
import { realtimeChecks } from './realtime-checks.ts';
import { closeContext, openContext } from './session.ts';
import type { Target } from './target.ts';

export const allChecks: readonly Check[] = [...authChecks, ...apiChecks, ...realtimeChecks];

/** Checks one after the other, a printed line each. Returns how many do not hold. */
export async function checkConformance(target: Target, print: (line: string) => void): Promise<number> {
  const context = await openContext(target);
  let failures = 0;
  for (const { sentence, run } of allChecks) {
    const fault = await run(context).then(
      () => null,
      (error: Error) => error,
    );
    print(fault === null ? `  holds  ${sentence}` : `  FAILS  ${sentence}\n         ${fault.message.replaceAll('\n', '\n         ')}`);
    if (fault !== null) failures += 1;
  }
  await closeContext(context);
  return failures;
}
