import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';

/** What an app loads for `import { createIntentClient } from 'intent/client'`, beside supabase-js: the client and the rules of the domain. */
const maxBytes = 30_000;

test(`the bundle for browsers has at most ${maxBytes} bytes, nothing of Node, and no schema library`, async () => {
  const bundle = await rolldown({
    cwd: projectRoot,
    input: 'src/client/index.ts',
    external: ['@supabase/supabase-js'],
    platform: 'browser',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  expect(output).toHaveLength(1);
  const [{ code, imports, modules }] = output;
  expect(imports).toEqual(['@supabase/supabase-js']);
  expect(Object.keys(modules).filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(gzipSync(code).byteLength).toBeLessThanOrEqual(maxBytes);
});
