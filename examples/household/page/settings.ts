/** What the page needs to know: where the API is, and who signs in. */
export interface PageSettings {
  readonly apiUrl: string;
  readonly publishableKey: string;
  readonly users: readonly PageUser[];
}

export interface PageUser {
  readonly email: string;
  readonly password: string;
}
