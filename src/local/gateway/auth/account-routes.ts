import { type Context, Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Claims } from '../tokens.ts';
import { inTransaction } from '../transaction.ts';
import { AuthError } from './auth-error.ts';
import { checkNewPassword } from './passwords.ts';
import { metadata, readBody, text } from './read-body.ts';
import { endSessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';
import { changePassword, findUserOfSession, insertUser, mergeMetadata, presentUser, type UserRow } from './users.ts';

const signUpSchema = z.object({ email: z.string().max(255).default(''), password: z.string().default(''), data: metadata.default({}) });
const emailSchema = z.email().max(255);
const changeSchema = z.object({
  password: text(1024).optional(),
  data: metadata.optional(),
  email: z.string().optional(),
  app_metadata: z.unknown().optional(),
});

export interface AccountDeps {
  readonly pool: Pool;
  readonly signIn: SignIn;
  readonly authenticate: (context: Context) => Promise<{ readonly claims: Claims; readonly user: UserRow }>;
  readonly addressOf: (context: Context<{ Bindings: HttpBindings }>) => string;
}

/** What people do with their own account. No mail is sent here: an address counts as confirmed, and cannot be changed. */
export function createAccountRoutes({ pool, signIn, authenticate, addressOf }: AccountDeps): Hono<{ Bindings: HttpBindings }> {
  const routes = new Hono<{ Bindings: HttpBindings }>();

  routes.post('/signup', async (context) => {
    const { email, password, data } = await readBody(context, signUpSchema);
    if (email === '' && password === '') {
      throw new AuthError(422, 'anonymous_provider_disabled', 'Anonymous sign-ins are disabled');
    }
    if (password === '' || password.includes('\0')) throw new AuthError(400, 'validation_failed', 'Signup requires a valid password');
    checkNewPassword(password);
    if (!emailSchema.safeParse(email).success) {
      throw new AuthError(400, 'validation_failed', 'Unable to validate email address: invalid format');
    }
    const user = await insertUser(pool, email, password, data);
    if (!user) throw new AuthError(422, 'user_already_exists', 'User already registered');
    return context.json(await signIn.begin(user, addressOf(context)));
  });

  routes.put('/user', async (context) => {
    const { claims, user } = await authenticate(context);
    const { password, data, email, app_metadata } = await readBody(context, changeSchema);
    if (app_metadata !== undefined) throw new AuthError(403, 'not_admin', 'Updating app_metadata requires admin privileges');
    if (email !== undefined && email.toLowerCase() !== user.email) {
      throw new AuthError(422, 'validation_failed', 'The local stand-in sends no mail, so an address cannot be changed');
    }
    if (password !== undefined) checkNewPassword(password);
    const changed = await inTransaction(pool, async (client) => {
      if (password !== undefined) {
        if (!(await changePassword(client, user.id, password))) {
          throw new AuthError(422, 'same_password', 'New password should be different from the old password.');
        }
        await endSessions(client, user.id, claims.session_id, 'others');
      }
      if (data !== undefined) await mergeMetadata(client, user.id, data);
      return findUserOfSession(client, user.id, claims.session_id);
    });
    return context.json(presentUser(changed ?? user));
  });

  routes.get('/settings', (context) =>
    context.json({
      external: { anonymous_users: false, email: true, phone: false },
      disable_signup: false,
      mailer_autoconfirm: true,
      phone_autoconfirm: false,
      sms_provider: '',
      saml_enabled: false,
      passkeys_enabled: false,
    }),
  );

  routes.get('/health', (context) =>
    context.json({ version: 'stand-in', name: 'GoTrue', description: 'A stand-in for Supabase Auth, for development' }),
  );

  return routes;
}
