import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { META_DIRECTORY } from '../model/names.js';
import { run } from '../system/processes.js';

/** What a file or device holds already. */
export interface Contents {
  /** As mount(8) calls it; undefined for what is no single file system. */
  readonly type: string | undefined;
  /** Ends the sentence "it holds". */
  readonly words: string;
}

/** blkid(8): nothing known was found; more than one thing was. */
const NOTHING_FOUND = 2;
const AMBIVALENT = 8;

/** Where any file with contents of its own has them. */
const HEAD_BYTES = 1024 * 1024;

/** @returns undefined for what may be overwritten without asking: zeros, or a device without any known signature */
export async function contentsOf(target: string): Promise<Contents | undefined> {
  const { stdout, code } = await run('blkid', ['-p', '-o', 'export', target], {
    okCodes: [NOTHING_FOUND, AMBIVALENT],
  });
  if (code === AMBIVALENT) return { type: undefined, words: 'more than one file system' };
  const type = field(stdout, 'TYPE');
  if (type !== undefined) return { type, words: type };
  const table = field(stdout, 'PTTYPE');
  if (table !== undefined) return { type, words: `a ${table} partition table` };
  return hasData(target) ? { type, words: 'data of no known kind' } : undefined;
}

function field(text: string, name: string): string | undefined {
  return new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1];
}

/** A file that is no image is somebody's; a device is full of what was deleted there, which tells nothing. */
function hasData(target: string): boolean {
  if (!statSync(target).isFile()) return false;
  const fd = openSync(target, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0)).some((byte) => byte !== 0);
  } finally {
    closeSync(fd);
  }
}

/** The names in `.intermezzo` of an ext3 or ext4 that need not be mounted; none where it is no cache. */
export async function namesInMeta(target: string): Promise<string[]> {
  // /inode/mode/uid/gid/name/size/; where there is no such directory, debugfs only says so.
  const { stdout } = await run('debugfs', ['-R', `ls -p /${META_DIRECTORY}`, target]);
  return stdout
    .split('\n')
    .map((line) => line.split('/')[5] ?? '')
    .filter((name) => !['', '.', '..'].includes(name));
}

/** @returns false also for an ext4 that was made without a journal */
export async function hasJournal(target: string): Promise<boolean> {
  const { stdout } = await run('debugfs', ['-R', 'features', target]);
  return /\bhas_journal\b/.test(stdout);
}
