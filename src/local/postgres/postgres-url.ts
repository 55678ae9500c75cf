interface Login {
  readonly user: string;
  readonly password: string;
}

/** The one place that puts a password into an address: what of it would mean something else there is written as %XX. */
export function postgresUrl({ user, password }: Login, { host = '127.0.0.1', port }: { host?: string; port: number }, database: string): string {
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}
