/** A rule of the walls between tenants, as a question to the catalogue. */
export interface CensusRule {
  readonly rule: string;
  /** What to do about a violation. */
  readonly remedy: string;
  /** A query that returns the `name` of each object that breaks the rule. */
  readonly violations: string;
}
