import { META_DIRECTORY } from '../model/names.js';
import { IzoError } from '../model/errors.js';
import { run } from '../system/processes.js';
import { LOG_NAMES } from './fileset-directory.js';

/** EXT4_JOURNAL_DATA_FL of linux/fs.h: the file's data go through the journal, in order with the metadata. */
const JOURNAL_DATA = 0x4000;

/**
 * Sets +j on a fileset's logs in an unmounted cache. chattr(1) needs CAP_SYS_RESOURCE, which containers withhold, so the
 * inodes are written directly; their other flags are kept (losing 0x80000 on an inode with extents destroys it).
 */
export async function setDataJournalOffline(cache: string, directory: string): Promise<void> {
  const base = `/${META_DIRECTORY}/${directory}`;
  const paths = [base, ...LOG_NAMES.map((name) => `${base}/${name}`)];
  for (const path of paths) {
    const flags = await flagsOf(cache, path);
    const wanted = `0x${(flags | JOURNAL_DATA).toString(16)}`;
    await run('debugfs', ['-w', '-R', `set_inode_field ${path} flags ${wanted}`, cache]);
    const now = await flagsOf(cache, path);
    if (now === (flags | JOURNAL_DATA)) continue;
    throw new IzoError('not-journaled', `the flag +j could not be set on ${path}`, {
      place: { file: cache },
    });
  }
}

async function flagsOf(cache: string, path: string): Promise<number> {
  const { stdout } = await run('debugfs', ['-R', `stat ${path}`, cache]);
  const flags = /Flags:\s+0x([0-9a-f]+)/i.exec(stdout)?.[1];
  if (flags !== undefined) return Number.parseInt(flags, 16);
  throw new IzoError('not-journaled', `${path} was not found on the cache`, {
    place: { file: cache },
  });
}
