import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';

// What an app loads for `import { createIntentClient } from 'intent/client'`, beside supabase-js: the client and the rules of the
// domain. The schemas of the commands, and with them zod, come along with the rules.

const limits = [
  { name: 'without zod', external: ['@supabase/supabase-js', 'zod'], maxBytes: 10_000 },
  { name: 'with zod', external: ['@supabase/supabase-js'], maxBytes: 33_000 },
];

test.each(limits)('the bundle for browsers, $name, has at most $maxBytes bytes, and nothing of Node', async ({ external, maxBytes }) => {
  const bundle = await rolldown({ cwd: projectRoot, input: 'src/client/index.ts', external, platform: 'browser' });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  expect(output).toHaveLength(1);
  const [{ code, imports }] = output;
  expect(imports.toSorted()).toEqual(external);
  expect(gzipSync(code).byteLength).toBeLessThanOrEqual(maxBytes);
});
