import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { isValidPath } from '../../model/names.js';
import type { Frame } from '../../psdev/frames.js';
import type { VerifyRequest, VerifyStep } from './verifier.js';

interface Comparable {
  readonly name: string;
  readonly others: readonly string[];
  verify(host: string, request: VerifyRequest): Promise<VerifyStep>;
}

/** `verify` on the control socket: without a host, whom one can compare with; else a piece of that. @throws IzoError */
export async function verifyCommand(
  fileset: Comparable,
  { head }: Frame,
): Promise<VerifyStep | { others: readonly string[] }> {
  const { host, path, after, fast } = head;
  if (typeof host !== 'string') return { others: fileset.others };
  if (!fileset.others.includes(host)) {
    throw new IzoError('no-such-peer', `${host} is not among the other hosts of ${fileset.name}`, {
      exit: EXIT.usage,
      remedy: `One of: ${fileset.others.join(', ')}`,
    });
  }
  if (!isPath(path) || (after !== undefined && !isPath(after))) {
    throw new IzoError('bad-path', 'this is no path of a fileset', { exit: EXIT.usage });
  }
  return fileset.verify(host, { path, after, fast: fast === true });
}

const isPath = (value: unknown): value is string =>
  typeof value === 'string' && isValidPath(value, true);
