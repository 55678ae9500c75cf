import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { queryOnce } from '../testing/query-once.ts';
import { scramVerifier } from './scram-verifier.ts';
import { StackError } from './stack-error.ts';

describe('a SCRAM verifier', () => {
  it('is what PostgreSQL makes of the same password and salt', async () => {
    const { adminUrl } = inject('database');
    const role = pg.escapeIdentifier(`test_${randomUUID()}`);
    const password = `with 'quotes' and ${randomUUID()}`;
    await queryOnce(adminUrl, `create role ${role} password ${pg.escapeLiteral(password)}`);
    try {
      const [row] = await queryOnce(adminUrl, `select rolpassword as verifier from pg_authid where oid = ${pg.escapeLiteral(role)}::regrole`);
      const verifier = row!['verifier'] as string;
      const salt = /:(.+?)\$/.exec(verifier)![1]!;
      expect(scramVerifier(password, Buffer.from(salt, 'base64'))).toBe(verifier);
    } finally {
      await queryOnce(adminUrl, `drop role ${role}`);
    }
  });

  it('differs each time', () => {
    expect(scramVerifier('the same')).not.toBe(scramVerifier('the same'));
  });

  it.each(['', 'pässword', 'two\nlines'])('is refused for %j', (password) => {
    expect(() => scramVerifier(password)).toThrow(StackError);
  });
});
