// The example app: alice and bob of the household Rose, side by side in one page. Run it with `npm run example:page` beside `npm start`,
// and open the address that it prints.
import { readConnection } from '../connection.ts';
import { startPageServer } from './page-server.ts';

const { apiUrl, publishableKey, users } = await readConnection();
const page = await startPageServer({
  apiUrl,
  publishableKey,
  users: users.filter(({ email }) => /^(alice|bob)@/.test(email)).map(({ email, password }) => ({ email, password })),
});
console.log(`The household: ${page.url}\nCtrl-C ends it.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void page.stop());
