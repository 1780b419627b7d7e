import { resolve } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { isAlive, listMounted, type MountedState } from '../presto/mounting/mounted-state.js';
import { runDirectory } from '../system/directories.js';

/**
 * The mounted fileset that a user means by its name, mount point or cache; without any, the only one there is.
 * @throws IzoError not-mounted, which-fileset
 */
export function selectMounted(
  wanted: string | undefined,
  remedy = 'Mount the fileset.',
): MountedState {
  const all = listMounted(runDirectory());
  const path = wanted === undefined ? undefined : resolve(wanted);
  const found = all.filter(
    ({ fileset, mountPoint, device }) =>
      wanted === undefined || wanted === fileset || path === mountPoint || path === device,
  );
  const [only] = found;
  if (only === undefined) {
    refuseStrangers();
    const what =
      wanted === undefined ? 'no fileset is mounted' : `no fileset that is mounted: ${wanted}`;
    throw new IzoError('not-mounted', what, { exit: EXIT.notRunning, remedy });
  }
  if (found.length > 1) {
    const places = found.map(({ mountPoint }) => mountPoint).join(', ');
    throw new IzoError('which-fileset', `which one: ${places}?`, {
      exit: EXIT.usage,
      remedy: 'Name its mount point.',
    });
  }
  return only;
}

/** What is mounted only root can see: to say that nothing is would be wrong. */
function refuseStrangers(): void {
  if (process.geteuid?.() === 0) return;
  throw new IzoError('not-root', 'only root may see what is mounted', {
    exit: EXIT.notPermitted,
    remedy: 'Run the command as root.',
  });
}

/** All that users mean by several names; without any, all that is mounted. @throws IzoError as above */
export function selectAllMounted(wanted: readonly string[]): MountedState[] {
  const states =
    wanted.length > 0
      ? wanted.map((each) => selectMounted(each))
      : listMounted(runDirectory()).filter(({ pid }) => isAlive(pid));
  if (states.length === 0) selectMounted(undefined);
  // Who names a fileset and its mount point means it once.
  return states.filter(
    ({ mountPoint }, index) =>
      states.findIndex((other) => other.mountPoint === mountPoint) === index,
  );
}
