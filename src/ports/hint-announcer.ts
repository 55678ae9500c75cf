/** What was told of tenants that send more hints than they may. */
export interface Announced {
  /** One a tenant. */
  readonly hints: number;
  /** Of how many events they told. */
  readonly events: number;
}

export interface HintAnnouncer {
  /** Sends each such tenant one hint for all that were withheld. */
  announce(): Promise<Announced>;
}
