import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { StackError } from './stack-error.ts';

const iterations = 4096;
const saltBytes = 16;
const keyBytes = 32;

/**
 * What PostgreSQL itself would store of a password (SCRAM-SHA-256, RFC 5803), and takes in its place. Throws `StackError` for
 * characters beyond printable ASCII: they would have to be normalised as the server does it.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  if (!/^[\x20-\x7e]+$/.test(password)) {
    const remedy = 'Choose one at random: openssl rand -hex 24';
    throw new StackError('A password of a role holds other characters than printable ASCII.', remedy);
  }
  const saltedPassword = pbkdf2Sync(password, salt, iterations, keyBytes, 'sha256');
  const hmac = (text: string) => createHmac('sha256', saltedPassword).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
