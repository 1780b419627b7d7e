import {
  answerOfText,
  checkPath,
  didYouMean,
  listed,
  quoted,
  readAnswers,
  type Existing,
  type MountAnswer,
} from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { input } from './wizard/ask.js';

/** Flags of a command that has a client mount what it is invited to. */
export interface MountFlags {
  /** DIRECTORY, or FILESET=DIRECTORY. */
  mount?: string[] | undefined;
  cache?: string | undefined;
  size?: string | undefined;
  options?: string | undefined;
}

/** Of an image that nobody gave a size: it takes room only as it is filled. */
const SIZE = '1G';

function usage(message: string, remedy: string): IzoError {
  return new IzoError('usage', message, { exit: EXIT.usage, remedy });
}

function whichFileset(
  filesets: readonly string[],
  flag: string,
): { fileset: string; mtpt: string } {
  const [, named, directory] = /^([^/=]+)=(.*)$/.exec(flag) ?? [];
  if (named !== undefined && directory !== undefined) {
    if (filesets.includes(named)) return { fileset: named, mtpt: directory };
    const remedy = `${didYouMean(named, filesets)}The token is for ${listed(filesets)}.`;
    throw usage(`the token is not for fileset ${quoted(named)}`, remedy);
  }
  const [only = ''] = filesets;
  if (filesets.length === 1) return { fileset: only, mtpt: flag };
  const remedy = `Write --mount ${only}=${flag}; the token is for ${listed(filesets)}.`;
  throw usage('the token is for several filesets, and --mount does not say which', remedy);
}

/** The mounts that the flags ask for. @throws IzoError exit 2 */
export function mountsToJoin(filesets: readonly string[], flags: MountFlags): MountAnswer[] {
  const wanted = (flags.mount ?? []).map((flag) => whichFileset(filesets, flag));
  if (wanted.length > 1 && flags.cache !== undefined) {
    throw usage(
      'one --cache cannot hold several filesets',
      'Leave it out, or join for one at a time.',
    );
  }
  const place = { file: '--mount', line: 1, column: 1 };
  const children = wanted.map(({ fileset, mtpt }) => {
    const cache = flags.cache ?? `/var/lib/intermezzo/${fileset}.img`;
    const values = { mtpt, fileset, cache, size: flags.size ?? SIZE, options: flags.options };
    const text = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}="${value ?? ''}"`)
      .join(' ');
    return answerOfText('mount', text, place);
  });
  const root = { name: 'answers', place, attributes: [], children, text: '', textPlace: place };
  try {
    return readAnswers(root).mounts;
  } catch (error) {
    // The place is in a text that nobody has written.
    if (error instanceof IzoError) throw usage(error.message, error.remedy ?? '');
    throw error;
  }
}

const NOWHERE = '-';

/** Asks where the filesets of a token are to be mounted; nowhere is an answer too. */
export async function askMounts(filesets: readonly string[]): Promise<MountAnswer[]> {
  const mount: string[] = [];
  for (const [index, fileset] of filesets.entries()) {
    const mtpt = await input({
      message: `Where is ${fileset} to be mounted (${NOWHERE}: nowhere now)?`,
      check: (text) => (text === NOWHERE ? { value: text } : checkPath(text)),
      byDefault: `/izo${index}`,
    });
    if (mtpt !== NOWHERE) mount.push(`${fileset}=${mtpt}`);
  }
  return mountsToJoin(filesets, { mount });
}

/**
 * A mount that is there keeps its cache: what has not been sent yet is in it. @throws IzoError cache-differs
 */
export function refuseOtherCache(
  mounts: readonly MountAnswer[],
  existing: Pick<Existing, 'mounts'>,
): void {
  for (const { mtpt, cache } of mounts) {
    const there = existing.mounts.find((mount) => mount.mtpt === mtpt);
    if (there === undefined || there.cache === cache) continue;
    const message = `${mtpt} has the cache ${there.cache} already`;
    throw new IzoError('cache-differs', message, {
      exit: EXIT.refused,
      remedy: `Keep it: --cache ${there.cache}. Another one: izo inconfig --mount, or --force here.`,
    });
  }
}
