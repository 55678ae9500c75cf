import { dirname } from 'node:path';
import type { Way } from './find-program.ts';
import { after } from './pip.ts';
import { runBounded } from './run-bounded.ts';

const timeoutMs = 30_000;

/** The same way, but what it brings must run and say which version it is. */
export function checked(way: Way, says: string): Way {
  return {
    ...way,
    async obtain(directory, alsoHeldBy) {
      const obtained = await way.obtain(directory, alsoHeldBy);
      if ('reason' in obtained) return obtained;
      const { file } = obtained;
      const { output } = await runBounded(file, ['--version'], { env: process.env, cwd: dirname(file), isStalled: after(timeoutMs) });
      return output.startsWith(says) ? obtained : { reason: `what was brought does not say "${says}", but: ${output.trim() || 'nothing'}` };
    },
  };
}
