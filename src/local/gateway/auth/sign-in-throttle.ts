const maxAttempts = 10;
const windowMs = 60_000;

export interface SignInThrottle {
  /** Counts an attempt before its password is looked at, so that attempts sent at once count too. False: one too many. */
  admit(email: string): boolean;
  /** A right password clears the count. */
  clear(email: string): void;
}

/** Ten attempts a minute for an address. `now` in milliseconds. */
export function createSignInThrottle(now: () => number = Date.now): SignInThrottle {
  // In the order in which their windows end, so that the ended ones stand in front.
  const windows = new Map<string, { endsAt: number; attempts: number }>();

  return {
    admit(email) {
      const time = now();
      for (const [key, { endsAt }] of windows) {
        if (endsAt > time) break;
        windows.delete(key);
      }
      const key = email.toLowerCase();
      const window = windows.get(key) ?? { endsAt: time + windowMs, attempts: 0 };
      window.attempts += 1;
      windows.set(key, window);
      return window.attempts <= maxAttempts;
    },

    clear(email) {
      windows.delete(email.toLowerCase());
    },
  };
}
