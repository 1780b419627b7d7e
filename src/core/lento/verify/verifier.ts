import { setTimeout as sleep } from 'node:timers/promises';
import type { Recno } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import { treeOrder, type TreeDigest } from '../../model/tree-digest.js';
import type { DigestPage } from '../../wire/messages.js';
import { compareEntries, fingerprint, isBeingWritten, type Difference } from './differences.js';
import { digestPage, type PageRequest } from './page.js';

/** The other tree, wherever it is. */
export interface OtherTree {
  page(request: PageRequest): Promise<DigestPage>;
  /**
   * Resolves when what was done here so far is there, and what the other host had logged up to `end` is here; false where
   * that does not come to pass.
   */
  settle(end: Recno): Promise<boolean>;
}

export interface VerifyRequest {
  readonly path: string;
  readonly after: string | undefined;
  readonly fast: boolean;
}

/** A piece of the work, so short that whoever waits for it sees that it goes on. */
export interface VerifyStep {
  readonly differences: readonly Difference[];
  /** Paths of what differed at each look and never stood still, or whose update did not arrive. */
  readonly changing: readonly string[];
  /** What was compared: names, and bytes of contents. */
  readonly entries: number;
  readonly bytes: number;
  /** Where to go on, in the bytes of the path; undefined: everything has been compared. */
  readonly after: string | undefined;
}

/** Looks at what differs at most so often; between them time grows. */
const LOOKS = 7;
const FIRST_PAUSE_MS = 20;
/** Looks at single paths that are under way at once. */
const AT_ONCE = 16;

/** Compares a page of the other tree with what is here. Nothing is changed anywhere. */
export async function verifyStep(
  lowerFd: number,
  other: OtherTree,
  request: VerifyRequest,
): Promise<VerifyStep> {
  const theirs = await other.page({ ...request, single: false });
  const lastOfTheirs = theirs.last ? undefined : theirs.entries.at(-1)?.path;
  const isBeyond = (path: string): boolean =>
    lastOfTheirs !== undefined && treeOrder(path, lastOfTheirs) > 0;
  const ours = await digestPage(lowerFd, { ...request, single: false }, isBeyond);
  const after = ours.last ? lastOfTheirs : ours.entries.at(-1)?.path;
  const within = theirs.entries.filter(
    ({ path }) => after === undefined || treeOrder(path, after) <= 0,
  );
  const suspects = mismatches(ours.entries, within);
  const { differences, changing } = await lookAgain(lowerFd, other, {
    suspects,
    fast: request.fast,
    end: theirs.end,
  });
  const bytes = ours.entries.reduce((sum, { size }) => sum + size, 0);
  return { differences, changing, entries: ours.entries.length, bytes, after };
}

/** Paths at which two walks differ, with what both have seen there. */
function mismatches(
  ours: readonly TreeDigest[],
  theirs: readonly TreeDigest[],
): Map<string, string> {
  const found = new Map<string, string>();
  const rest = new Map(theirs.map((entry) => [entry.path, entry]));
  for (const here of ours) {
    const there = rest.get(here.path);
    rest.delete(here.path);
    const differs = compareEntries(here.path, here, there).length > 0;
    if (differs) found.set(here.path, fingerprints(here, there));
  }
  for (const there of rest.values()) found.set(there.path, fingerprints(undefined, there));
  return found;
}

const fingerprints = (here: TreeDigest | undefined, there: TreeDigest | undefined): string =>
  `${fingerprint(here)} ${fingerprint(there)}`;

interface Suspicion {
  readonly suspects: ReadonlyMap<string, string>;
  readonly fast: boolean;
  readonly end: Recno;
}

/**
 * What differs may be on its way. So everything done on either side up to the last look has to arrive at the other; what
 * then looks as before, on both sides, differs for good.
 */
async function lookAgain(
  lowerFd: number,
  other: OtherTree,
  { suspects, fast, end }: Suspicion,
): Promise<Pick<VerifyStep, 'differences' | 'changing'>> {
  const differences: Difference[] = [];
  let seen = suspects;
  let covered = end;
  for (let look = 0; seen.size > 0 && look < LOOKS; look++) {
    if (look > 0) await sleep(FIRST_PAUSE_MS * 2 ** look);
    if (!(await other.settle(covered))) break;
    const next = new Map<string, string>();
    await inParallel([...seen], async ([path, before]) => {
      const request = { path, after: undefined, single: true, fast };
      const page = await other.page(request);
      const [here] = (await digestPage(lowerFd, request)).entries;
      const [there] = page.entries;
      covered = Math.max(covered, page.end);
      const found = compareEntries(path, here, there);
      if (found.length === 0) return;
      const now = fingerprints(here, there);
      const isMoving = now !== before || isBeingWritten(here) || isBeingWritten(there);
      if (isMoving) next.set(path, now);
      else differences.push(...found);
    });
    seen = next;
  }
  const order = (a: Difference, b: Difference): number => treeOrder(a.path, b.path);
  return { differences: differences.sort(order), changing: [...seen.keys()].map(displayBytes) };
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
