import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { carryOut } from './carry-out.js';
import { planRecovery, type Intent, type RecoveryPlan, type RecoveryRole } from './plan.js';
import { survey, type Survey } from './survey.js';
import { withCache, type CacheRequest } from './with-cache.js';

export type { Intent, RecoveryPlan, RecoveryRole, Step } from './plan.js';
export { isUnreadable, type Survey } from './survey.js';

export interface RecoveryRequest extends CacheRequest {
  readonly intent: Intent;
  readonly role: RecoveryRole;
  /** False: only look. */
  readonly carryOut: boolean;
}

export interface Recovery {
  readonly found: Survey;
  readonly plan: RecoveryPlan;
  /** Where, in the cache, everything that was changed is kept; undefined where nothing was. */
  readonly kept: string | undefined;
}

/**
 * Looks at a cache that nobody has mounted, says what is wrong with its logs and what can be done about it, and does it.
 * Looking may let the kernel finish what the journal of the file system has; nothing else is changed.
 * @throws IzoError refetch-server, cache-busy, no-cache, not-formatted, journal-version, no-room; SystemError
 */
export async function recoverCache(request: RecoveryRequest): Promise<Recovery> {
  if (request.intent === 'refetch' && request.role !== 'client') {
    const why =
      request.role === 'server' ? 'this host serves it' : 'no configuration says who does';
    throw new IzoError('refetch-server', `${request.fileset} cannot be fetched anew: ${why}`, {
      exit: EXIT.refused,
      remedy: 'Only a replicator can fetch from its server; a server can be --reset.',
    });
  }
  return withCache(request, (lower) => {
    const found = survey(lower.root, lower.meta);
    const plan = planRecovery(found, request.intent, request.role);
    const isDone = request.carryOut && plan.steps.length > 0;
    const kept = isDone ? carryOut(lower, found, plan.steps, new Date()) : undefined;
    return { found, plan, kept };
  });
}
