// The example app: alice and bob of the household Rose, side by side in one page. Run it with `npm run example:page` beside `npm start`,
// and open the address that it prints.
import { readFile } from 'node:fs/promises';
import { startPageServer } from './page-server.ts';
import type { PageSettings } from './page/settings.ts';

const { apiUrl, publishableKey, users } = JSON.parse(await readFile(process.argv[2] ?? '.intent/stack.json', 'utf8')) as PageSettings;
const page = await startPageServer({
  apiUrl,
  publishableKey,
  users: users.filter(({ email }) => /^(alice|bob)@/.test(email)).map(({ email, password }) => ({ email, password })),
});
console.log(`The household: ${page.url}\nCtrl-C ends it.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void page.stop());
