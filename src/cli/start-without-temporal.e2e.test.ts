import { randomUUID } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withFileLock } from '../../scripts/file-lock.mjs';
import { createIntentClient } from '../client/index.ts';
import { cacheDirectory } from '../local/cache-directory.ts';
import { readStackInfo } from '../local/stack-info.ts';
import { isExecutable } from '../local/temporal/executable-on-path.ts';
import { locateTemporal } from '../local/temporal/locate-temporal.ts';
import { temporalWheel } from '../local/temporal/pinned-programs.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import { needs } from '../testing/needs.ts';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { runStartCommandWith } from '../testing/start-command.ts';

const { executable } = await locateTemporal({ env: process.env, log: console.log });

let scratch: ScratchDirectory;
beforeAll(async () => {
  scratch = await createScratchDirectory();
});
afterAll(() => scratch.remove());

it('commands that come before Temporal is there are taken, and executed when it is', { timeout: 180_000, ...needs(executable, 'there is no Temporal') }, async () => {
  // What the Edge Function needs is there; Temporal is not, and somebody else is getting it.
  const cache = join(scratch.path, 'cache');
  mkdirSync(cache);
  symlinkSync(join(cacheDirectory(), 'deno'), join(cache, 'deno'));
  const arrival = Promise.withResolvers<void>();
  const arriving = withFileLock(join(cache, 'temporal.lock'), () => {}, () => arrival.promise);

  const directory = join(scratch.path, 'stack');
  const command = runStartCommandWith({ PATH: pathWithoutTemporal(), INTENT_CACHE_DIR: cache }, directory, '--no-example');
  try {
    await command.line('is getting temporal; waiting for it');
    await command.line('Commands are taken already');
    const info = readStackInfo(directory)!;
    expect(info).toMatchObject({ engine: 'starting' });
    const supabase = createClient(info.apiUrl, info.publishableKey, { auth: { persistSession: false } });
    expect((await supabase.auth.signInWithPassword(info.users.find(({ email }) => email.startsWith('alice@'))!)).error).toBeNull();
    const open = { commandId: randomUUID(), aggregateId: `early-${randomUUID()}`, payload: { name: 'Early', limit: 1_000 } };
    const { send } = createIntentClient(supabase);
    expect(await send('OpenBudget', open, { wait: 0 })).toMatchObject({ status: 'pending' });

    const place = join(cache, 'temporal', temporalWheel.version);
    mkdirSync(place, { recursive: true });
    symlinkSync(executable!, join(place, 'temporal'));
    arrival.resolve();
    await arriving;
    await command.line('Ready after');
    await expectSoon(() => send('OpenBudget', open)).toMatchObject({ status: 'succeeded', duplicate: true });
    expect(readStackInfo(directory)).toMatchObject({ engine: 'temporal' });
    await supabase.removeAllChannels();
  } finally {
    arrival.resolve();
    command.kill('SIGINT');
    await command.ended;
  }
});

function pathWithoutTemporal(): string {
  return (process.env['PATH'] ?? '').split(delimiter).filter((directory) => !isExecutable(join(directory, 'temporal'))).join(delimiter);
}
