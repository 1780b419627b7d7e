import { readFileSync } from 'node:fs';
import { IzoError, type Place } from '../model/errors.js';
import { DEFAULT_FSTAB } from './config-files.js';
import { parseMountOptions, type MountOptions } from './mount-options.js';
import { didYouMean, listed, quoted } from './suggest.js';

/** /etc/fstab, as far as mounts of InterMezzo are concerned. See fstab(5). */

/** Spellings of the type: that of the HOWTO, and those mount helpers are installed for. */
const TYPES = new Set(['InterMezzo', 'intermezzo', 'izo', 'fuse.izo']);

export interface FstabEntry {
  /** First field: the cache, an image file or a block device. */
  spec: string;
  mountPoint: string;
  type: string;
  /** Fourth field, not yet understood. */
  options: string;
  place: Place;
}

/** An entry of type InterMezzo whose options are understood. */
export interface InterMezzoEntry extends FstabEntry {
  mountOptions: MountOptions;
}

function unescape(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 8)),
  );
}

/** `a,b, c=d 0 0` -> `a,b,c=d`: the HOWTO's lines have blanks after commas, which split the field in two. */
function joinOptions(fields: readonly string[]): string {
  let options = fields[0] ?? '';
  for (const field of fields.slice(1)) {
    if (!options.endsWith(',') || /^[0-9]+$/.test(field)) break;
    options += field;
  }
  return options;
}

/** All entries of a text in the form of /etc/fstab; lines that cannot be entries are left out, as mount(8) does. */
export function parseFstab(file: string, text: string): FstabEntry[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/[ \t]+/);
    const [spec = '', mountPoint, type] = fields;
    if (spec === '' || spec.startsWith('#') || !mountPoint || !type) return [];
    return [
      {
        spec: unescape(spec),
        mountPoint: unescape(mountPoint),
        type,
        options: unescape(joinOptions(fields.slice(3))) || 'defaults',
        place: { file, line: index + 1, column: line.search(/\S/) + 1 },
      },
    ];
  });
}

function readFstab(file: string): FstabEntry[] {
  try {
    return parseFstab(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw new IzoError('fstab-unreadable', `it cannot be read (${code})`, {
      place: { file },
      remedy: 'Give the options by hand, or have `izo inconfig` write the line.',
      cause: error,
    });
  }
}

export function isInterMezzo(entry: FstabEntry): boolean {
  return TYPES.has(entry.type);
}

function withoutTrailingSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

function notFound(
  file: string,
  wanted: string,
  entries: FstabEntry[],
  other?: FstabEntry,
): IzoError {
  const ours = entries.filter(isInterMezzo);
  const known = ours.map((entry) => entry.mountPoint);
  const isFileset = ({ options }: FstabEntry): boolean =>
    options.split(',').includes(`fileset=${wanted}`);
  const meant = ours.find(isFileset);
  const hint =
    meant === undefined
      ? didYouMean(wanted, known)
      : `That fileset is mounted by: izo mount ${meant.mountPoint}. `;
  const remedy = `${hint}Mounts of InterMezzo in ${file}: ${listed(known)}. \`izo inconfig --mount\` adds one.`;
  if (other === undefined) {
    const message = `there is no entry of type InterMezzo for ${quoted(wanted)}`;
    return new IzoError('fstab-no-entry', message, { place: { file }, remedy });
  }
  const message = `the entry for ${quoted(wanted)} is of type ${quoted(other.type)}, not InterMezzo`;
  return new IzoError('fstab-no-entry', message, { place: other.place, remedy });
}

/** The whole of an entry's options. @throws IzoError naming the line */
function understand(entry: FstabEntry): InterMezzoEntry {
  if (entry.options.endsWith(',')) {
    throw new IzoError('fstab-wrapped', 'the options end with a comma: the line was wrapped here', {
      place: entry.place,
      remedy: 'Join it with the next line: an entry of fstab is one line.',
    });
  }
  return { ...entry, mountOptions: parseMountOptions(entry.options, entry.place) };
}

/**
 * The entry of type InterMezzo for a mount point or a device, whichever the word is.
 * @throws IzoError `fstab-no-entry`, or what is wrong with the entry's options
 */
export function findFstabEntry(mountPointOrDevice: string, file = DEFAULT_FSTAB): InterMezzoEntry {
  const wanted = withoutTrailingSlash(mountPointOrDevice);
  const entries = readFstab(file);
  const matching = entries.filter((entry) =>
    [entry.mountPoint, entry.spec].map(withoutTrailingSlash).includes(wanted),
  );
  const entry = matching.find(isInterMezzo);
  if (entry === undefined) throw notFound(file, mountPointOrDevice, entries, matching[0]);
  return understand(entry);
}

/** All entries of type InterMezzo, with what they say or why it is not understood. */
export function listFstabEntries(file = DEFAULT_FSTAB): (InterMezzoEntry | IzoError)[] {
  return readFstab(file)
    .filter(isInterMezzo)
    .map((entry) => {
      try {
        return understand(entry);
      } catch (error) {
        if (error instanceof IzoError) return error;
        throw error;
      }
    });
}
