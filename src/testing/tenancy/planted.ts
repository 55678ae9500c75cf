/** What somebody might add one day, and what the census has to say about it. */
export interface Planted {
  readonly what: string;
  /** As the owner of the schemas, unless it begins with `reset role`: then as the administrator. */
  readonly sql: string;
  /** How each violation begins, all of them. */
  readonly caught: readonly string[];
}
