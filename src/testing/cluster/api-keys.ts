import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const algorithm = 'ES256';
const keyId = 'test';
const validFor = '1 day';

export interface ApiKeys {
  /** A file: the public key, as the server reads it. */
  readonly keySet: string;
  /** May do everything. */
  readonly administrator: string;
}

/** A pair of keys of this run's own, and an API key that it has signed: to a cluster of one's own these are signed tokens. */
export async function makeApiKeys(directory: string): Promise<ApiKeys> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const keySet = join(directory, 'keys.json');
  writeFileSync(keySet, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' }] }));
  return { keySet, administrator: await signApiKey(privateKey) };
}

/** Says who it is for, and that they may do everything. */
export function signApiKey(privateKey: CryptoKey): Promise<string> {
  const claims = { sub: 'tests', permissions: ['temporal-system:admin'] };
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: keyId }).setExpirationTime(validFor).sign(privateKey);
}
