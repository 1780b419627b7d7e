import type { PeerProgress } from '../journal/index.js';
import { formatReplicaId, type Recno, type ReplicaId } from '../model/ids.js';
import { NO_EPOCH, NO_STRETCH } from '../model/position.js';
import { isUnreadable, type Survey } from './survey.js';

/** What somebody wants of a recovery: the least that helps; the logs begun anew; the tree fetched anew from the server. */
export type Intent = 'repair' | 'reset' | 'refetch';

/** Of this host for the fileset; `unknown` where there is no configuration to say so. */
export type RecoveryRole = 'server' | 'client' | 'unknown';

/**
 * What is to be done. `aside`: take away what stands where a log should. `cut`: half a record off the end of the KML. `skip`: let the KML begin behind the damage. `name`: write
 * the file `fileset`. `lml`: make the LML anew from the tree. `positions`: make last_rcvd anew. `rebuild`: begin all logs anew;
 * the next mount journals the tree as a new replica's. `set-aside`: take the tree out of the fileset.
 */
export type Step =
  | { readonly do: 'aside'; readonly names: readonly string[] }
  | { readonly do: 'cut'; readonly offset: number; readonly bytes: number }
  | { readonly do: 'skip'; readonly firstRecno: Recno }
  | { readonly do: 'name'; readonly replica: ReplicaId }
  | { readonly do: 'lml'; readonly replica: ReplicaId; readonly notes: number }
  | {
      readonly do: 'positions';
      readonly replica: ReplicaId;
      readonly peers: readonly PeerProgress[];
    }
  | { readonly do: 'set-aside'; readonly objects: number }
  | { readonly do: 'rebuild'; readonly objects: number };

export interface RecoveryPlan {
  /** What is wrong, a sentence each. */
  readonly findings: readonly string[];
  readonly steps: readonly Step[];
  /** What somebody should know before, a sentence each. */
  readonly consequences: readonly string[];
}

/** Decides what to do about what was found. Pure. */
export function planRecovery(found: Survey, intent: Intent, role: RecoveryRole): RecoveryPlan {
  const { findings, steps, rebuild } = repairs(found, role);
  const { objects } = found.tree;
  if (intent === 'repair' && !rebuild) return { findings, steps, consequences: [] };
  const anew: Step = { do: 'rebuild', objects: intent === 'refetch' ? 0 : objects };
  const all: Step[] = steps.filter((step) => step.do === 'aside');
  if (intent === 'refetch') all.push({ do: 'set-aside', objects });
  all.push(anew);
  return { findings, steps: all, consequences: consequencesOf(intent, role, found.tree.flagged) };
}

/** The fault of a log that there is nothing of. */
const IS_NONE = /is (empty|missing)$/;

interface Repairs {
  readonly findings: string[];
  readonly steps: Step[];
  /** Nothing less than new logs helps. */
  rebuild: boolean;
}

function repairs(found: Survey, role: RecoveryRole): Repairs {
  const repair: Repairs = { findings: [], steps: [], rebuild: false };
  repairStrangers(found, repair);
  repairKml(found, role, repair);
  repairName(found, repair);
  repairLml(found, repair);
  repairPositions(found, repair);
  return repair;
}

function needsRebuild(repair: Repairs, finding: string): void {
  repair.findings.push(finding);
  repair.rebuild = true;
}

function repairStrangers({ strangers }: Survey, repair: Repairs): void {
  if (strangers.length === 0) return;
  repair.findings.push(
    ...strangers.map((name) => `${name}: what stands there has not been made by izo`),
  );
  repair.steps.push({ do: 'aside', names: strangers });
}

function repairKml(found: Survey, role: RecoveryRole, repair: Repairs): void {
  const { kml, tree } = found;
  if (isUnreadable(kml)) {
    // A cache that was just made, or by hand: the first mount completes it.
    if (tree.isJournaled || !IS_NONE.test(kml.fault)) {
      needsRebuild(repair, `kml: ${kml.fault}`);
    }
    return;
  }
  const { scan, after, header, last } = kml;
  const { offset } = scan.tail;
  if (scan.kind === 'torn-tail') {
    repair.findings.push(
      `kml: ${scan.bytes} bytes at the end are no whole record (${scan.reason})`,
    );
    repair.steps.push({ do: 'cut', offset, bytes: scan.bytes });
  }
  if (scan.kind === 'damaged') {
    const what = `kml: damaged at byte ${offset}: ${scan.reason}`;
    if (after === undefined || role !== 'client' || acknowledged(found) < after.firstRecno) {
      needsRebuild(repair, what);
    } else {
      repair.findings.push(`${what}; the server has all up to record ${after.firstRecno - 1}`);
      repair.steps.push({ do: 'skip', firstRecno: after.firstRecno });
    }
  }
  const newest = tree.newest.get(header.log) ?? 0;
  if (newest > last) {
    const what = `kml: it ends with record ${last}, the tree has updates up to ${newest}`;
    needsRebuild(repair, what);
  }
}

/** The first record that not every peer has; 0 where no peer is known. */
function acknowledged({ lastRcvd }: Survey): Recno {
  const [first, ...others] = lastRcvd.peers.map(({ nextToSend }) => nextToSend);
  return first === undefined ? 0 : Math.min(first, ...others);
}

function repairName({ fileset, kml }: Survey, repair: Repairs): void {
  if (isUnreadable(kml)) {
    if (isUnreadable(fileset)) needsRebuild(repair, `fileset: ${fileset.fault}`);
    return;
  }
  const replica = kml.header.log;
  if (isUnreadable(fileset)) {
    repair.findings.push(`fileset: ${fileset.fault}`);
    repair.steps.push({ do: 'name', replica });
  } else if (fileset.replica !== replica) {
    const [log, name] = [replica, fileset.replica].map(formatReplicaId);
    const what = `the kml is of replica ${log}, the fileset file of ${name}: one was put back from elsewhere`;
    needsRebuild(repair, what);
  }
}

function repairLml({ lml, kml, tree }: Survey, repair: Repairs): void {
  // No LML at all is an empty one; that is only right where nothing was being written.
  const isNone = isUnreadable(lml) && IS_NONE.test(lml.fault);
  if (isUnreadable(kml)) {
    if (isUnreadable(lml) && !isNone) needsRebuild(repair, `lml: ${lml.fault}`);
    return;
  }
  const replica = kml.header.log;
  const notes = tree.unclosed.length;
  if (isUnreadable(lml)) {
    if (isNone && notes === 0) return;
    repair.findings.push(`lml: ${lml.fault}`);
  } else {
    if (lml.damaged === 0) return;
    repair.findings.push(`lml: ${lml.damaged} notes cannot be read`);
  }
  repair.steps.push({ do: 'lml', replica, notes });
}

/**
 * What was received from whom. A server logs all that it receives, so its KML has it. A replicator does not: one that no
 * longer knows must not be sent everything on top of what it has, and begins anew.
 */
function repairPositions({ lastRcvd, kml, tree }: Survey, repair: Repairs): void {
  if (isUnreadable(kml)) {
    const isBad = !lastRcvd.isEmpty && lastRcvd.log === undefined;
    if (isBad) needsRebuild(repair, 'last_rcvd: its header cannot be read');
    return;
  }
  const replica = kml.header.log;
  const known = new Set(lastRcvd.peers.map(({ peer }) => peer));
  const logged = [...kml.origins].filter(([origin]) => origin !== replica && !known.has(origin));
  const foreign = [...tree.newest.keys()].some((origin) => origin !== replica);
  const isLost = lastRcvd.isEmpty || lastRcvd.unreadable > 0;
  if (!isLost && lastRcvd.log !== undefined) return;
  if (lastRcvd.isEmpty && logged.length === 0 && !foreign) return;
  const what = lastRcvd.isEmpty
    ? 'it is missing or empty'
    : lastRcvd.log === undefined
      ? 'its header cannot be read'
      : `${lastRcvd.unreadable} entries cannot be read`;
  if (known.size === 0 && logged.length === 0 && foreign) {
    needsRebuild(repair, `last_rcvd: ${what}, and nothing else says what was received`);
    return;
  }
  repair.findings.push(`last_rcvd: ${what}`);
  const derived = logged.map(([peer, recno]) => ({
    peer,
    expected: recno + 1,
    checksum: 0,
    nextToSend: 1,
    stretch: NO_STRETCH,
    epoch: NO_EPOCH,
  }));
  repair.steps.push({ do: 'positions', replica, peers: [...lastRcvd.peers, ...derived] });
}

function consequencesOf(intent: Intent, role: RecoveryRole, flagged: number): string[] {
  const told: string[] = [];
  if (intent === 'refetch') {
    told.push(
      'The tree is set aside in the cache and fetched anew: there must be room for both. What was never sent is only ' +
        'in what is set aside.',
    );
  } else if (role !== 'server') {
    told.push(
      'At the next connection the tree is merged with that of the server: what is equal stays one, of what differs both ' +
        'versions are kept, and what the server has removed meanwhile comes back.',
    );
  }
  if (role !== 'client') {
    const where = role === 'server' ? 'This host serves the fileset' : 'If this host serves it';
    told.push(`${where}: every replicator has to begin anew as well, with izo recovery --reset.`);
  }
  if (flagged > 0) {
    const where = 'identities.json of what is kept has which (the last 4 bytes)';
    told.push(`Objects with attributes of chattr(1): ${flagged}. They lose them; ${where}.`);
  }
  return told;
}
