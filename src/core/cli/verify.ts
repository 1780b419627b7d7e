import { askVerify } from '../lento/service/control-client.js';
import type { Difference } from '../lento/verify/differences.js';
import type { VerifyRequest } from '../lento/verify/verifier.js';

/** What a comparison with one host has found. */
export interface Verified {
  readonly fileset: string;
  readonly host: string;
  readonly entries: number;
  readonly bytes: number;
  /** How many there are, and the first of them. */
  readonly found: number;
  readonly differences: readonly Difference[];
  readonly changing: readonly string[];
}

/** All have been shown as they were found; a result with millions of them helps nobody. */
const KEPT = 10_000;

export interface VerifyWatcher {
  /** @param at the path behind which it goes on */
  progress(entries: number, at: string): void;
  difference(found: Difference): void;
}

/** Compares a fileset of this host with that of another, piece by piece. @throws IzoError as `askVerify` */
export async function verifyWith(
  runDir: string,
  target: { readonly sysid: string; readonly fileset: string; readonly host: string },
  request: VerifyRequest,
  watcher: VerifyWatcher,
): Promise<Verified> {
  const { fileset, host } = target;
  const differences: Difference[] = [];
  const changing: string[] = [];
  let found = 0;
  let entries = 0;
  let bytes = 0;
  let next: string | undefined = request.after;
  do {
    const step = await askVerify(runDir, target, { ...request, after: next });
    entries += step.entries;
    bytes += request.fast ? 0 : step.bytes;
    for (const each of step.differences) watcher.difference(each);
    found += step.differences.length;
    differences.push(...step.differences.slice(0, KEPT - differences.length));
    changing.push(...step.changing.slice(0, KEPT - changing.length));
    next = step.after;
    if (next !== undefined) watcher.progress(entries, next);
  } while (next !== undefined);
  return { fileset, host, entries, bytes, found, differences, changing };
}
