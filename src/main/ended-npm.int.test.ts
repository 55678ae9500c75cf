import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../testing/database.ts';
import { endWithFile } from '../testing/end-with-file.ts';
import { chooseTestPort } from '../testing/test-port.ts';

it.each(['worker', 'command-pump'])('%s ends when the npm that runs it is ended', async (name) => {
  const database = await createTestDatabase();
  // npm runs a script in a shell, and passes its signals on to that alone.
  const shell = spawn('sh', ['-c', `'${process.execPath}' src/main/${name}.ts; true`], {
    env: {
      PATH: process.env['PATH'],
      npm_lifecycle_event: `start:${name}`,
      DATABASE_URL: database.urlFor(name === 'worker' ? 'intent_worker' : 'intent_pump'),
      PUMP_DATABASE_URL: database.urlFor('intent_pump'),
      INTENT_ENGINE: 'inline',
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      HEALTH_PORT: String(await chooseTestPort()),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithFile(shell);
  const output = text(shell.stdout);
  await once(shell.stdout, 'readable');
  shell.kill('SIGTERM');
  // The output ends when the last of them has.
  expect(await output).toContain('"msg":"Stopped"');
  await database.drop();
});
