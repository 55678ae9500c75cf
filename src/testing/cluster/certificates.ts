import { join } from 'node:path';
import { runProgram } from '../../local/process/run-program.ts';
import { StackError } from '../../local/stack-error.ts';

/** Of the frontend for those who have a certificate and an API key, and for those who have a key alone. */
export const serverName = 'temporal.test';
export const keyServerName = 'keys.temporal.test';

const days = '2';
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Paths of PEM files. */
export interface Certificates {
  readonly authority: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

/** An authority of this run's own, and what it has signed. Throws `StackError` if there is no OpenSSL. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const authority = files(directory, 'authority');
  await openssl(['req', '-x509', ...key, '-days', days, '-subj', '/CN=test authority', '-keyout', authority.key, '-out', authority.certificate]);
  const sign = async (name: string): Promise<KeyPair> => {
    const pair = files(directory, name);
    const extensions = [`subjectAltName=DNS:${serverName},DNS:${keyServerName}`, 'basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth,clientAuth'];
    await openssl([
      'req', '-x509', ...key, '-days', days, '-subj', `/CN=${name}`, ...extensions.flatMap((extension) => ['-addext', extension]),
      '-CA', authority.certificate, '-CAkey', authority.key, '-keyout', pair.key, '-out', pair.certificate,
    ]);
    return pair;
  };
  return { authority: authority.certificate, server: await sign('server'), client: await sign('client') };
}

function files(directory: string, name: string): KeyPair {
  return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
}

async function openssl(args: readonly string[]): Promise<void> {
  const { code, output } = await runProgram('openssl', args, { env: process.env }).catch((error: Error) => ({ code: null, output: error.message }));
  if (code !== 0) throw new StackError(`OpenSSL made no certificate: ${output.trim()}`, 'Install OpenSSL 3 (Debian: apt-get install openssl).');
}
