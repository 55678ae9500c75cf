import { afterEach, describe, expect, it, vi } from 'vitest';
import { StackError } from '../local/stack-error.ts';
import { migrate } from './migrate.ts';
import { requireDatabaseUrl } from './require-database-url.ts';

afterEach(() => vi.unstubAllEnvs());

// Nothing listens there: what is refused is refused before anybody is asked.
const nowhere = 'postgresql://admin:Xk3q@127.0.0.1:1/intent';

describe('the command line in production', () => {
  it.each([
    { what: 'a guessable password', url: 'postgresql://postgres:postgres@127.0.0.1:1/intent', says: 'a password of its own' },
    { what: 'plaintext to another machine', url: 'postgresql://postgres:Xk3q@db.example/intent', says: 'without TLS' },
  ])('refuses $what in DATABASE_URL', ({ url, says }) => {
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('DATABASE_URL', url);
    expect(requireDatabaseUrl).toThrow(StackError);
    expect(requireDatabaseUrl).toThrow(says);
  });

  it('gives no role a guessable password', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('DATABASE_URL', nowhere);
    vi.stubEnv('INTENT_OPERATOR_PASSWORD', 'intent_operator');
    await expect(migrate()).rejects.toThrow('INTENT_OPERATOR_PASSWORD: everybody can guess it');
    vi.stubEnv('INTENT_OPERATOR_PASSWORD', 'Xk3q');
    await expect(migrate()).rejects.toThrow('The database cannot be reached');
  });

  it('in development takes what is there', () => {
    vi.stubEnv('NODE_ENV', 'development');
    vi.stubEnv('DATABASE_URL', 'postgresql://postgres:postgres@127.0.0.1/intent');
    expect(requireDatabaseUrl()).toContain('postgres:postgres');
  });
});
