import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { run } from '../system/processes.js';
import { partsOf, type Part, type Places } from './parts.js';
import { hasSecret, secretsOf, withoutTokens } from './secrets.js';

export interface ReportedPart {
  readonly name: string;
  /** 0 where it could not be had. */
  readonly bytes: number;
  /** Why it could not be had, or was left out. */
  readonly missing?: string;
}

export interface Report {
  readonly file: string;
  readonly bytes: number;
  readonly parts: readonly ReportedPart[];
}

export interface ReportOptions {
  /** The archive; must not exist. */
  readonly output: string;
  readonly onPart?: (name: string, at: number, of: number) => void;
}

/**
 * Puts together what somebody needs who is to find out what is wrong with this host, for root's eyes only. What cannot be
 * had is named in the archive's `index.json` with the reason; a part that has a key of this host in it is left out.
 * @throws IzoError where the archive cannot be written, or the keys cannot be read
 */
export async function makeReport(places: Places, options: ReportOptions): Promise<Report> {
  const output = resolve(options.output);
  refuseExisting(output);
  const scratch = mkdtempSync(join(tmpdir(), 'izo-bugreport-'));
  try {
    // One directory, named as the archive, is what comes out of it.
    const top = basename(output).replace(/(\.tar)?\.t?gz$/, '');
    const directory = join(scratch, 'tree', top);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const secrets = secretsOf(places.configDir);
    const all = partsOf(places);
    const parts: ReportedPart[] = [];
    for (const [at, part] of all.entries()) {
      options.onPart?.(part.name, at, all.length);
      parts.push(await put(directory, part, secrets));
    }
    writeFileSync(join(directory, 'index.json'), `${JSON.stringify(parts, null, 2)}\n`);
    // Made where nobody else reaches it: tar(1) would let others read it.
    const archive = join(scratch, 'archive');
    await run('tar', ['-czf', archive, '-C', join(scratch, 'tree'), '--', top]);
    writeFileSync(output, readFileSync(archive), { flag: 'wx', mode: 0o600 });
    return { file: output, bytes: statSync(output).size, parts };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function refuseExisting(output: string): void {
  if (!existsSync(dirname(output))) {
    throw new IzoError('no-directory', 'there is no such directory', {
      place: { file: dirname(output) },
      exit: EXIT.usage,
      remedy: 'Make it, or give another name with --output.',
    });
  }
  if (!existsSync(output)) return;
  throw new IzoError('file-exists', 'there is something already: nothing is overwritten', {
    place: { file: output },
    exit: EXIT.usage,
    remedy: 'Give another name with --output.',
  });
}

async function put(
  directory: string,
  { name, read }: Part,
  secrets: readonly Buffer[],
): Promise<ReportedPart> {
  const leftOut = (missing: string): ReportedPart => ({ name, bytes: 0, missing });
  let contents: Buffer;
  try {
    contents = withoutTokens(Buffer.from(await read()));
  } catch (error) {
    return leftOut(error instanceof Error ? error.message : String(error));
  }
  if (hasSecret(contents, secrets)) return leftOut('it has a key of this host in it');
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, contents, { mode: 0o600 });
  return { name, bytes: contents.length };
}
