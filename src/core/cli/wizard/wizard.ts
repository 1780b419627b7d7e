import {
  keyOfInvitation,
  planConfiguration,
  type Existing,
  type HostFacts,
} from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { prepare, type Preparation } from '../../setup/carry-out.js';
import { hasService, unitsOf } from '../../setup/service.js';
import { describeFailure, failureParagraph } from '../failure.js';
import { renderPreparation, renderWarning } from '../render/preparation.js';
import { confirm, say, select } from './ask.js';
import { Draft } from './draft.js';
import { guide } from './guide.js';
import { hub } from './hub.js';

/** What the wizard's user has agreed to. */
export interface Agreed {
  preparation: Preparation;
  /** Have lento run as a service. */
  service: boolean;
}

async function prepareDraft(draft: Draft): Promise<Preparation | undefined> {
  const { existing, facts, accepted } = draft;
  try {
    const preparation = await prepare(planConfiguration(draft.answers, existing, facts));
    const keys = accepted.flatMap((each) => keyOfInvitation(existing.configDir, each));
    return { ...preparation, secrets: [...preparation.secrets, ...keys] };
  } catch (error) {
    // What is not expected is no matter for the one who answers.
    if (!(error instanceof IzoError)) throw error;
    say('', failureParagraph(describeFailure(error, 'inconfig'), 'inconfig'));
    return undefined;
  }
}

type Verdict = 'write' | 'change' | 'leave';

async function review(preparation: Preparation, dryRun: boolean): Promise<Verdict> {
  say('', ...renderPreparation(preparation), ...preparation.warnings.map(renderWarning), '');
  if (dryRun) return 'write';
  return select<Verdict>('Write this?', [
    { name: 'yes', value: 'write' },
    { name: 'no, change something', value: 'change' },
    { name: 'no, leave everything as it is', value: 'leave' },
  ]);
}

/**
 * Asks until there is something that is right and wanted. Nothing is changed here.
 * @returns undefined where all shall stay as it is
 */
export async function runWizard(
  existing: Existing,
  facts: HostFacts,
  dryRun: boolean,
): Promise<Agreed | undefined> {
  const draft = new Draft(existing, facts);
  const isNew = existing.sysids.size + existing.servers.length + existing.filesets.length === 0;
  if (isNew) await guide(draft);
  let goOn = !draft.isEmpty || (await hub(draft));
  while (goOn) {
    const preparation = await prepareDraft(draft);
    const verdict = preparation === undefined ? 'change' : await review(preparation, dryRun);
    if (verdict === 'leave') return undefined;
    if (preparation !== undefined && verdict === 'write') {
      const units = dryRun || !hasService() ? [] : unitsOf(preparation.plan);
      const message = `Have ${units.join(', ')} run with it, now and after every boot?`;
      return { preparation, service: units.length > 0 && (await confirm(message, true)) };
    }
    goOn = await hub(draft);
  }
  return undefined;
}
