import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../local/cache-directory.ts';
import { startEdgeFunction } from '../../local/edge-function.ts';
import { publishableKey, startTestGateway, type TestGateway } from '../../local/gateway/testing/test-gateway.ts';
import { startPostgrest } from '../../local/postgrest.ts';
import { createScratchDirectory } from '../scratch-directory.ts';
import { chooseTestPort } from '../test-port.ts';

export interface GatewayStack {
  readonly gateway: TestGateway;
  /** Every line that gateway, PostgREST and function have written. */
  logLines(): string[];
  stop(): Promise<void>;
}

/** The gateway with the real PostgREST and the Edge Function behind it, as `npm start` has them. */
export async function startGatewayStack(): Promise<GatewayStack> {
  const stack = new AsyncDisposableStack();
  try {
    const home = await createScratchDirectory();
    stack.defer(home.remove);
    const functionPort = await chooseTestPort();
    let stopPostgrest = () => Promise.resolve();
    const gateway = await startTestGateway(async ({ authenticatorUrl, jwks }) => {
      const postgrest = await startPostgrest({
        home: home.path,
        databaseUrl: authenticatorUrl,
        jwks: { keys: [...jwks.keys] },
        port: await chooseTestPort(),
        adminPort: await chooseTestPort(),
      });
      stopPostgrest = postgrest.stop;
      return { postgrestUrl: postgrest.url, functionUrl: `http://127.0.0.1:${functionPort}` };
    });
    stack.defer(() => stopPostgrest());
    stack.defer(gateway.stop);
    const edgeFunction = await startEdgeFunction({
      home: home.path,
      port: functionPort,
      supabaseUrl: gateway.url,
      publishableKey,
      allowedOrigins: [],
      cacheDirectory: cacheDirectory(),
      log: () => {},
    });
    stack.defer(edgeFunction.stop);

    const logs = join(home.path, 'logs');
    return {
      gateway,
      logLines: () => [
        ...gateway.log,
        ...readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n').filter(Boolean)),
      ],
      stop: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
