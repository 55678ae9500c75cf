import { checkAnswers } from './answers.ts';
import { checkEffects } from './effects.ts';
import type { Evidence } from './evidence.ts';
import { checkFollowers } from './followers.ts';
import { checkFulfilment } from './fulfilment.ts';
import { checkNumbering } from './numbering.ts';
import { checkOutcomes } from './outcomes.ts';
import { checkReadModels } from './read-models.ts';
import { checkRest } from './rest.ts';
import { checkTenants } from './tenants.ts';
import type { Violation } from './violation.ts';

const checks = [
  checkOutcomes,
  checkEffects,
  checkNumbering,
  checkFollowers,
  checkReadModels,
  checkFulfilment,
  checkTenants,
  checkRest,
  checkAnswers,
];

/** Every way in which a system at rest breaks its promises; empty if it keeps them. */
export function check(evidence: Evidence): Violation[] {
  return checks.flatMap((find) => find(evidence));
}
