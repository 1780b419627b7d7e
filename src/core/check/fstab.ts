import { existsSync, readFileSync } from 'node:fs';
import {
  isInterMezzo,
  parseFstab,
  parseMountOptions,
  quoted,
  type FstabEntry,
  type MountOptions,
} from '../config/index.js';
import { IzoError, type Place } from '../model/errors.js';
import type { Finding, Tell } from './diagnostic.js';

/** An entry of type InterMezzo whose options are understood. */
export interface FstabMount extends FstabEntry {
  mount: MountOptions;
  /** Where an option, or another piece of the line, stands; the line where it does not stand as it is. */
  placeOf: (piece: string) => Place;
}

export interface FstabSurvey {
  file: string;
  mounts: readonly FstabMount[];
  /** All entries of a type of ours: the others are nobody's business here. */
  types: ReadonlySet<string>;
  findings: readonly Finding[];
}

/** Options that no other file system has. */
const OURS = /(^|,)(fileset|prestodev|cache_type)=/;

class FstabReader {
  readonly findings: Finding[] = [];
  readonly mounts: FstabMount[] = [];
  readonly types = new Set<string>();
  readonly #lines: readonly string[];
  readonly #tell: Tell = (finding) => this.findings.push(finding);

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    this.#lines = text.split('\n');
  }

  read(): FstabSurvey {
    for (const entry of parseFstab(this.file, this.text)) {
      if (!isInterMezzo(entry)) this.#lookAtOther(entry);
      else {
        this.types.add(entry.type);
        this.#lookAt(entry);
      }
    }
    const { file, mounts, types, findings } = this;
    return { file, mounts, types, findings };
  }

  /** The place of a piece of an entry's line. */
  #placeOf({ place }: FstabEntry, piece: string): Place {
    const { line = 1 } = place;
    const at = (this.#lines[line - 1] ?? '').indexOf(piece);
    return at < 0 ? place : { file: this.file, line, column: at + 1 };
  }

  #lookAtOther(entry: FstabEntry): void {
    if (!OURS.test(entry.options)) return;
    this.#tell({
      code: 'fstab-type',
      message: `the type is ${quoted(entry.type)}, and the options are those of InterMezzo`,
      place: this.#placeOf(entry, entry.type),
      remedy: 'Write the type `InterMezzo`.',
    });
  }

  #lookAt(entry: FstabEntry): void {
    if (entry.options.endsWith(',')) {
      this.#tell(this.#wrapped(entry));
      return;
    }
    this.#fields(entry);
    const mount = this.#options(entry);
    if (mount === undefined) return;
    const placeOf = (piece: string): Place => this.#placeOf(entry, piece);
    this.mounts.push({ ...entry, mount, placeOf });
  }

  /** Joining is safe where the next line begins like an option and is no entry. */
  #wrapped(entry: FstabEntry): Finding {
    const { line = 1 } = entry.place;
    const [first = '', next = ''] = this.#lines.slice(line - 1, line + 1);
    const joins = /^\s*[a-z_]+(=[^\s,]*)?(,|\s|$)/.test(next) && !next.trimStart().startsWith('/');
    const after = [
      ...this.#lines.slice(0, line - 1),
      first.trimEnd() + next.trim(),
      ...this.#lines.slice(line + 1),
    ].join('\n');
    return {
      code: 'fstab-wrapped',
      message: 'the options end with a comma: the line was wrapped here',
      place: { file: this.file, line, column: first.trimEnd().length },
      remedy: 'Join it with the next line: an entry of fstab is one line.',
      fixes: joins ? [{ kind: 'write', path: this.file, before: this.text, after }] : [],
    };
  }

  #fields(entry: FstabEntry): void {
    const { spec, mountPoint } = entry;
    for (const [what, path] of [
      ['cache', spec],
      ['mount point', mountPoint],
    ] as const) {
      // UUID=... and LABEL=... are resolved by mount(8).
      if (path.startsWith('/') || (what === 'cache' && /^[A-Z]+=/.test(path))) continue;
      this.#tell({
        code: 'fstab-fields',
        message: `the ${what} ${quoted(path)} is no absolute path`,
        place: this.#placeOf(entry, path),
        remedy: 'Write the whole path, from the root on.',
      });
    }
    const pass = this.#passOf(entry);
    if (pass === undefined || pass === '0') return;
    this.#tell({
      code: 'fsck-pass',
      message: `the last field is ${quoted(pass)}: fsck(8) is to check the cache at boot`,
      place: { ...entry.place, column: this.#lineOf(entry).trimEnd().length || 1 },
      remedy: 'Write 0 as the last field.',
    });
  }

  #lineOf({ place }: FstabEntry): string {
    return this.#lines[(place.line ?? 1) - 1] ?? '';
  }

  /** The sixth field. The options may have blanks after their commas, as in the HOWTO. */
  #passOf(entry: FstabEntry): string | undefined {
    return /\s\d+\s+(\d+)\s*$/.exec(this.#lineOf(entry))?.[1];
  }

  /** One finding for each wrong option, where it stands. */
  #options(entry: FstabEntry): MountOptions | undefined {
    try {
      return parseMountOptions(entry.options, entry.place);
    } catch (error) {
      const whole = mustBeOurs(error);
      const wrong = entry.options
        .split(',')
        .map((option) => this.#wrongOption(entry, option.trim()))
        .filter((each) => each !== undefined);
      // A quotation mark that is not closed is no mistake of a single option.
      for (const each of wrong.length > 0 ? wrong : [toFinding(whole, entry.place)])
        this.#tell(each);
      return undefined;
    }
  }

  #wrongOption(entry: FstabEntry, option: string): Finding | undefined {
    try {
      parseMountOptions(option);
      return undefined;
    } catch (error) {
      return toFinding(mustBeOurs(error), this.#placeOf(entry, option));
    }
  }
}

function mustBeOurs(error: unknown): IzoError {
  if (error instanceof IzoError) return error;
  throw error;
}

/** The refusals of values have codes of their own; here they are all about an option. */
function toFinding({ code, message, remedy = '' }: IzoError, place: Place): Finding {
  return { code: code === 'unknown-option' ? code : 'bad-option', message, place, remedy };
}

/** Reads the entries that are, or should be, of InterMezzo. A host without fstab has none. */
export function surveyFstab(file: string): FstabSurvey {
  const nothing = { file, mounts: [], types: new Set<string>() };
  if (!existsSync(file)) return { ...nothing, findings: [] };
  try {
    return new FstabReader(file, readFileSync(file, 'utf8')).read();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const message = `the file cannot be read (${String(error.code)})`;
    const remedy = `Look at the file with: ls -ld ${file}`;
    return {
      ...nothing,
      findings: [{ code: 'fstab-unreadable', message, place: { file }, remedy }],
    };
  }
}
