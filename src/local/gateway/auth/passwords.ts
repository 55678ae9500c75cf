import { AuthError } from './auth-error.ts';

/** Supabase's least and bcrypt's most. */
const minLength = 6;
const maxBytes = 72;

/** @throws AuthError if a new password is none that Supabase Auth would take. */
export function checkNewPassword(password: string): void {
  if (Buffer.byteLength(password) > maxBytes) {
    throw new AuthError(400, 'validation_failed', `Password cannot be longer than ${maxBytes} characters`);
  }
  if (Buffer.byteLength(password) < minLength) {
    const message = `Password should be at least ${minLength} characters.`;
    throw new AuthError(422, 'weak_password', message, { weak_password: { reasons: ['length'] } });
  }
}
