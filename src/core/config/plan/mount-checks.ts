import { IzoError } from '../../model/errors.js';
import type { Fileset } from '../fsetdb.js';
import { collectProblems, type Problem, type Report } from '../problem.js';
import { didYouMean, listed, quoted } from '../suggest.js';
import type { Sysid } from '../sysid.js';
import type { Existing } from './existing.js';
import { fstabLine, type FstabMount } from './fstab-edit.js';
import type { PlannedMount } from './planned.js';

interface Mounting {
  mounts: readonly PlannedMount[];
  /** Mount points whose lines go. */
  gone: readonly string[];
  existing: Existing;
  sysids: readonly Sysid[];
  filesets: readonly Fileset[];
}

function checkFileset(mount: PlannedMount, { sysids, filesets }: Mounting, report: Report): void {
  const { fileset: name, prestodev, place } = mount;
  const names = filesets.map((each) => each.name);
  const fileset = filesets.find((each) => each.name === name);
  const sysid = sysids.find(({ psdev }) => psdev === prestodev);
  if (fileset === undefined) {
    const message = `there is no fileset ${quoted(name)}`;
    const remedy = `${didYouMean(name, names)}The filesets are ${listed(names)}.`;
    report({ code: 'unknown-fileset', message, place, remedy });
  } else if (sysid === undefined) {
    const psdevs = sysids.map(({ psdev }) => psdev);
    const message = `no sysid of this host has the psdev ${quoted(prestodev)}`;
    const remedy = `${didYouMean(prestodev, psdevs)}Those of this host: ${listed(psdevs)}.`;
    report({ code: 'unknown-psdev', message, place, remedy });
  } else if (![fileset.servername, ...fileset.replicators].includes(sysid.name)) {
    report({
      code: 'not-involved',
      message: `${quoted(sysid.name)} neither serves nor replicates fileset ${quoted(name)}`,
      place,
      remedy: `Make it a replicator of ${quoted(name)}, or mount by another psdev.`,
    });
  }
}

function checkOptions(mount: PlannedMount, report: Report): void {
  try {
    fstabLine(mount);
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
    const { code, message, remedy = '' } = error;
    report({ code, message, place: mount.place, remedy });
  }
}

/** What only one mount can have. */
function checkAlone(mount: PlannedMount, others: readonly FstabMount[], report: Report): void {
  const { place } = mount;
  for (const other of others) {
    const at = quoted(other.mtpt);
    if (other.cache === mount.cache) {
      const message = `the cache ${quoted(mount.cache)} is mounted at ${at}`;
      report({ code: 'cache-shared', message, place, remedy: 'Give each mount its own cache.' });
    } else if (other.fileset === mount.fileset && other.prestodev === mount.prestodev) {
      const message = `fileset ${quoted(mount.fileset)} of ${other.prestodev} is mounted at ${at}`;
      const remedy = `Remove that mount, or change it instead of ${quoted(mount.mtpt)}.`;
      report({ code: 'fileset-shared', message, place, remedy });
    }
  }
}

/** What is wrong with the mounts that were answered. */
export function checkMounts(mounting: Mounting): Problem[] {
  const { mounts, gone, existing } = mounting;
  const { problems, report } = collectProblems();
  if (mounts.length === 0) return problems;
  const answered = new Set(mounts.map(({ mtpt }) => mtpt));
  const staying = existing.mounts.filter(({ mtpt }) => !answered.has(mtpt) && !gone.includes(mtpt));
  mounts.forEach((mount, index) => {
    checkFileset(mount, mounting, report);
    checkOptions(mount, report);
    checkAlone(mount, [...staying, ...mounts.slice(0, index)], report);
  });
  return problems;
}
