import { existsSync } from 'node:fs';
import {
  checkOptions,
  checkPath,
  checkSize,
  DEFAULT_OPTIONS,
  type Sysid,
} from '../../config/index.js';
import { confirm, input, say, select } from './ask.js';
import type { Draft } from './draft.js';

const AT_BOOT = '_netdev,nofail';
const OTHER = 'other';

/** /izo0, or the next one that no mount has. */
function freeMountPoint(draft: Draft): string {
  const taken = new Set(draft.mounts.map(({ mtpt }) => mtpt));
  for (let number = 0; ; number += 1) {
    if (!taken.has(`/izo${number}`)) return `/izo${number}`;
  }
}

function freeCache(draft: Draft, fileset: string, { name }: Sysid): string {
  const taken = draft.mounts.map(({ cache }) => cache);
  const first = `/var/lib/intermezzo/${fileset}.img`;
  return taken.includes(first) ? `/var/lib/intermezzo/${fileset}-${name}.img` : first;
}

async function askOptions(before: string | undefined): Promise<string> {
  const choices = [
    { name: 'when told to: mount DIRECTORY', value: DEFAULT_OPTIONS },
    { name: 'at every boot', value: AT_BOOT },
    { name: 'with other options', value: OTHER },
  ];
  if (before !== undefined && before !== DEFAULT_OPTIONS && before !== AT_BOOT) {
    choices.unshift({ name: `as it is: ${before}`, value: before });
  }
  const chosen = await select('When is it mounted?', choices, before);
  if (chosen !== OTHER) return chosen;
  return input({ message: 'Options of fstab:', check: checkOptions, byDefault: before });
}

/** Asks where a fileset is on this host: its cache, its mount point, its line in fstab. */
export async function askMount(draft: Draft, fileset: string, sysid: Sysid): Promise<void> {
  const before = draft.mounts.find(
    (each) => each.fileset === fileset && (each.prestodev ?? sysid.psdev) === sysid.psdev,
  );
  say(
    '',
    `${sysid.name} keeps ${fileset} in a cache: an image file, which can be made here, or a block device.`,
  );
  const cache = await input({
    message: 'The cache:',
    check: checkPath,
    byDefault: before?.cache ?? freeCache(draft, fileset, sysid),
  });
  const size = existsSync(cache)
    ? undefined
    : await input({
        message: 'There is no such file. Make it, of size:',
        check: checkSize,
        byDefault: '1G',
      });
  const mtpt = await input({
    message: `Where ${fileset} is mounted:`,
    check: checkPath,
    byDefault: before?.mtpt ?? freeMountPoint(draft),
  });
  const options = await askOptions(before?.options);
  if (before !== undefined && before.mtpt !== mtpt) draft.remove('mount', before.mtpt);
  draft.putMount({
    fileset,
    cache,
    mtpt,
    prestodev: sysid.psdev,
    cacheType: before?.cacheType ?? 'ext3',
    options,
    ...(size === undefined ? {} : { size }),
  });
}

/** Offers a mount of each fileset that a lento of this host has and that is not mounted yet. */
export async function offerMounts(draft: Draft): Promise<void> {
  for (const sysid of draft.sysids.values()) {
    for (const { name, servername, replicators } of draft.filesets) {
      if (![servername, ...replicators].includes(sysid.name)) continue;
      const isMounted = draft.mounts.some(
        ({ fileset, prestodev }) => fileset === name && prestodev === sysid.psdev,
      );
      if (isMounted) continue;
      if (await confirm(`Have ${name} mounted on this host, for ${sysid.name}?`, true)) {
        await askMount(draft, name, sysid);
      }
    }
  }
}
