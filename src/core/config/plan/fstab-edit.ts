import { IzoError } from '../../model/errors.js';
import { isInterMezzo, parseFstab, type FstabEntry } from '../fstab.js';
import { parseMountOptions, type CacheType } from '../mount-options.js';
import { quoted } from '../suggest.js';

/** Changes the lines of InterMezzo in a text in the form of /etc/fstab, and leaves all others as they are. */

export interface FstabMount {
  fileset: string;
  cache: string;
  mtpt: string;
  prestodev: string;
  cacheType: CacheType;
  /** The cache is an image file. */
  loop: boolean;
  /** Further options, separated by commas. */
  options: string;
}

/** What separates the fields, and what begins a comment, is written as octal numbers. */
function escape(field: string): string {
  return field.replace(/[\s\\#]/g, (character) => {
    const octal = character.charCodeAt(0).toString(8).padStart(3, '0');
    return `\\${octal}`;
  });
}

/** In the order of the HOWTO. */
function optionsOf(mount: FstabMount): string[] {
  const { fileset, mtpt, prestodev, cacheType, loop, options } = mount;
  return [
    ...(loop ? ['loop'] : []),
    `fileset=${fileset}`,
    `prestodev=${prestodev}`,
    // A path that cannot be an option need not be one: the second field has it.
    ...(/[,"]/.test(mtpt) ? [] : [`mtpt=${mtpt}`]),
    `cache_type=${cacheType}`,
    ...options.split(',').filter((each) => each !== ''),
  ];
}

/** `/tmp/fs0 /izo0 InterMezzo loop,fileset=shared,... 0 0` @throws IzoError where an option is unknown */
export function fstabLine(mount: FstabMount): string {
  const options = optionsOf(mount).join(',');
  parseMountOptions(options);
  return `${escape(mount.cache)} ${escape(mount.mtpt)} InterMezzo ${escape(options)} 0 0`;
}

/** What a line says, as a mount. Options that are not ours are kept as they are. */
export function mountOfEntry(entry: FstabEntry): FstabMount | undefined {
  const parsed = parseMountOptions(entry.options, entry.place);
  if (parsed.fileset === undefined) return undefined;
  const ours = /^(loop|fileset|prestodev|mtpt|cache_type)(=|$)/;
  return {
    fileset: parsed.fileset,
    cache: entry.spec,
    mtpt: entry.mountPoint,
    prestodev: parsed.prestodev,
    cacheType: parsed.cacheType ?? 'ext3',
    loop: parsed.loop,
    options: entry.options
      .split(',')
      .filter((each) => !ours.test(each))
      .join(','),
  };
}

/** The mounts of InterMezzo that a text has. @throws IzoError naming the line that is not understood */
export function mountsOfFstab(file: string, text: string): (FstabMount & { entry: FstabEntry })[] {
  return parseFstab(file, text)
    .filter(isInterMezzo)
    .flatMap((entry) => {
      const mount = mountOfEntry(entry);
      return mount === undefined ? [] : [{ ...mount, entry }];
    });
}

function isSame(entry: FstabEntry, mount: FstabMount): boolean {
  const sorted = (options: readonly string[]): string => [...options].sort().join(',');
  const known = mountOfEntry(entry);
  return (
    known !== undefined &&
    known.cache === mount.cache &&
    sorted(optionsOf(known)) === sorted(optionsOf(mount))
  );
}

function refuseForeign(entry: FstabEntry): void {
  if (isInterMezzo(entry)) return;
  const message = `${quoted(entry.mountPoint)} is the mount point of ${quoted(entry.spec)}, type ${quoted(entry.type)}`;
  const remedy = 'Choose another mount point.';
  throw new IzoError('mtpt-taken', message, { place: entry.place, remedy });
}

/**
 * The text with a line for each mount, and none for the mount points of `removed`.
 * @throws IzoError mtpt-taken, or what is wrong in a line of InterMezzo
 */
export function editFstab(
  file: string,
  text: string,
  mounts: readonly FstabMount[],
  removed: readonly string[],
): string {
  const changed = new Map<number, string>();
  const gone = new Set<number>();
  const added: string[] = [];
  const entries = parseFstab(file, text);
  for (const mount of mounts) {
    const entry = entries.find((each) => each.mountPoint === mount.mtpt);
    if (entry === undefined) added.push(`${fstabLine(mount)}\n`);
    else {
      refuseForeign(entry);
      if (!isSame(entry, mount)) changed.set(entry.place.line ?? 0, fstabLine(mount));
    }
  }
  for (const entry of entries) {
    if (isInterMezzo(entry) && removed.includes(entry.mountPoint)) gone.add(entry.place.line ?? 0);
  }
  const edited = text
    .split('\n')
    .flatMap((line, index) => (gone.has(index + 1) ? [] : [changed.get(index + 1) ?? line]))
    .join('\n');
  const isOpen = added.length > 0 && edited !== '' && !edited.endsWith('\n');
  return edited + (isOpen ? '\n' : '') + added.join('');
}
