import type pg from 'pg';
import { startTestGateway, type TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startPostgrest } from '../local/postgrest.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

/** What the client SDK needs to follow aggregates: the gateway with the real PostgREST behind it. `prepare`: done before both connect. */
export async function startClientGateway(prepare: (admin: pg.Client) => Promise<unknown> = async () => {}): Promise<TestGateway> {
  const scratch = await createScratchDirectory();
  let stopPostgrest = () => Promise.resolve();
  const gateway = await startTestGateway(async ({ admin, authenticatorUrl, jwks }) => {
    await prepare(admin);
    const postgrest = await startPostgrest({
      home: scratch.path,
      databaseUrl: authenticatorUrl,
      jwks: { keys: [...jwks.keys] },
      port: await chooseTestPort(),
      adminPort: await chooseTestPort(),
    });
    stopPostgrest = postgrest.stop;
    return { postgrestUrl: postgrest.url };
  });
  return {
    ...gateway,
    async stop() {
      await gateway.stop();
      await stopPostgrest();
      scratch.remove();
    },
  };
}
