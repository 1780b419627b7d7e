import { IzoError, type Place } from '../model/errors.js';
import { LIMITS } from '../model/limits.js';
import { isForeignOption, isOwnOption, OWN_OPTIONS, type OwnOption } from './mount-option-names.js';
import { didYouMean, listed, quoted } from './suggest.js';
import { checkName, checkPsdev, checkWord, type Check } from './values.js';

export const CACHE_TYPES = ['ext3', 'ext4'] as const;
export type CacheType = (typeof CACHE_TYPES)[number];

export const BINDINGS = ['auto', 'device', 'native'] as const;
export type Binding = (typeof BINDINGS)[number];

/** "/dev/intermezzo0 is the name of the presto device" (HOWTO, fstab). */
export const DEFAULT_PSDEV = '/dev/intermezzo0';

/** The options of a mount that mean something to izo. */
export interface MountOptions {
  /** The cache is an image file, to be put on a loop device. */
  loop: boolean;
  fileset?: string;
  prestodev: string;
  /** Where the line says it is mounted; must agree with where it is mounted. */
  mtpt?: string;
  cacheType?: CacheType;
  readOnly: boolean;
  remount: boolean;
  /** How presto speaks FUSE. `auto`: by the device itself where this host allows it. */
  binding: Binding;
  /** Milliseconds that updates wait for a permit before the host counts as cut off. Written in seconds. */
  upcallMs: number;
  /** How much presto logs: 0 what matters, 1 many things, 100 all of it. */
  debugLevel: number;
  nosuid: boolean;
  nodev: boolean;
  noexec: boolean;
}

interface GivenOption {
  name: string;
  value: string | undefined;
}

type Fail = (code: string, message: string, remedy: string) => never;

function failAt(place: Place | undefined): Fail {
  return (code, message, remedy) => {
    throw new IzoError(code, message, { remedy, ...(place === undefined ? {} : { place }) });
  };
}

/** Splits at commas outside of double quotes, as mount(8) does for `context="a,b"`; the quotes go. */
function splitOptions(text: string, fail: Fail): GivenOption[] {
  const parts = [''];
  let inQuotes = false;
  for (const character of text) {
    if (character === '"') inQuotes = !inQuotes;
    else if (character === ',' && !inQuotes) parts.push('');
    else parts.push((parts.pop() ?? '') + character);
  }
  if (inQuotes) {
    fail('bad-option', `${quoted(text)}: a quotation mark is not closed`, 'Add the missing `"`.');
  }
  // fstab lines copied from the HOWTO carry the page's line breaks after commas.
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      if (equals < 0) return { name: part, value: undefined };
      return { name: part.slice(0, equals).trimEnd(), value: part.slice(equals + 1).trim() };
    });
}

const checkMountPoint: Check<string> = (text) =>
  /^\/[^\0]*$/.test(text)
    ? { value: text }
    : {
        refusal: {
          code: 'bad-option',
          message: `${quoted(text)} is not a mount point`,
          remedy: 'Write the absolute path of a directory.',
        },
      };

const checkCacheType = checkWord(CACHE_TYPES, 'bad-option');
const checkBinding = checkWord(BINDINGS, 'bad-option');

/** Whole seconds; an hour at most, as nobody's program waits longer. */
const checkUpcall: Check<number> = (text) =>
  /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3600
    ? { value: Number(text) * 1000 }
    : {
        refusal: {
          code: 'bad-option',
          message: `${quoted(text)} is no number of seconds from 1 to 3600`,
          remedy: 'Write upcall=SECONDS, such as upcall=30.',
        },
      };

const checkDebugLevel: Check<number> = (text) =>
  /^\d{1,4}$/.test(text)
    ? { value: Number(text) }
    : {
        refusal: {
          code: 'bad-option',
          message: `${quoted(text)} is no level from 0 to 9999`,
          remedy: 'Write debuglevel=0 for what matters, 1 for many things, 100 for all of it.',
        },
      };

/** Takes one option after the other; a later one wins, as in mount(8). */
class OptionTaker {
  readonly options: MountOptions = {
    loop: false,
    prestodev: DEFAULT_PSDEV,
    binding: 'auto',
    upcallMs: LIMITS.upcallMs,
    debugLevel: 0,
    readOnly: false,
    remount: false,
    nosuid: false,
    nodev: false,
    noexec: false,
  };

  constructor(readonly fail: Fail) {}

  take({ name, value }: GivenOption): void {
    if (isOwnOption(name)) this.#takeOwn(name, value);
    else if (isForeignOption(name)) this.#takeForeign(name);
    else {
      const remedy = `${didYouMean(name, OWN_OPTIONS)}The options of InterMezzo are ${listed(OWN_OPTIONS)}.`;
      this.fail('unknown-option', `unknown mount option ${quoted(name)}`, remedy);
    }
  }

  #takeOwn(name: OwnOption, value: string | undefined): void {
    const { options } = this;
    switch (name) {
      case 'loop': // `loop=/dev/loop3` asks for a device; a free one is as good.
        options.loop = true;
        return;
      case 'ro':
      case 'rw':
      case 'remount':
        this.#takeFlag(name, value);
        return;
      case 'fileset':
        options.fileset = this.#checked(name, value, checkName);
        return;
      case 'prestodev':
        options.prestodev = this.#checked(name, value, checkPsdev);
        return;
      case 'mtpt':
        options.mtpt = this.#checked(name, value, checkMountPoint);
        return;
      case 'cache_type':
        options.cacheType = this.#checked(name, value, checkCacheType);
        return;
      case 'binding':
        options.binding = this.#checked(name, value, checkBinding);
        return;
      case 'upcall':
        options.upcallMs = this.#checked(name, value, checkUpcall);
        return;
      case 'debuglevel':
        options.debugLevel = this.#checked(name, value, checkDebugLevel);
    }
  }

  #takeFlag(name: 'ro' | 'rw' | 'remount', value: string | undefined): void {
    if (value !== undefined) {
      this.fail('bad-option', `mount option ${quoted(name)} takes no value`, `Write \`${name}\`.`);
    }
    if (name === 'remount') this.options.remount = true;
    else this.options.readOnly = name === 'ro';
  }

  /** Those whose effect a FUSE file system must ask for itself. The sets are those of mount(8). */
  #takeForeign(name: string): void {
    const { options } = this;
    if (name === 'suid' || name === 'nosuid') options.nosuid = name === 'nosuid';
    if (name === 'dev' || name === 'nodev') options.nodev = name === 'nodev';
    if (name === 'exec' || name === 'noexec') options.noexec = name === 'noexec';
    if (['user', 'users', 'owner', 'group'].includes(name)) {
      options.nosuid = options.nodev = true;
      options.noexec ||= name === 'user' || name === 'users';
    }
    if (name === 'defaults') {
      options.readOnly = options.nosuid = options.nodev = options.noexec = false;
    }
  }

  #checked<T>(name: OwnOption, value: string | undefined, check: Check<T>): T {
    const checked = check(value ?? '');
    if ('value' in checked) return checked.value;
    if (value === undefined || value === '') {
      return this.fail(
        'bad-option',
        `mount option ${quoted(name)} has no value`,
        `Write ${name}=VALUE.`,
      );
    }
    const { code, message, remedy } = checked.refusal;
    return this.fail(code, `mount option ${quoted(name)}: ${message}`, remedy);
  }
}

/**
 * Understands the text after `-o`, or the fourth field of an fstab line, such as
 * `loop,fileset=shared,prestodev=/dev/intermezzo0,mtpt=/izo0,cache_type=ext3,noauto` (HOWTO, fstab).
 *
 * @param place where the text comes from, for messages
 * @throws IzoError
 */
export function parseMountOptions(text: string, place?: Place): MountOptions {
  const fail = failAt(place);
  const taker = new OptionTaker(fail);
  for (const option of splitOptions(text, fail)) taker.take(option);
  return taker.options;
}
