import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Problem } from './problem.js';
import { quoted } from './suggest.js';

/** A configuration file of ten thousand filesets is smaller; anything above is not a configuration file. */
export const CONFIG_FILE_BYTES_MAX = 1024 * 1024;

/** A text, or why there is none. */
export type TextResult = { text: string } | { problem: Problem };

type Trouble = Pick<Problem, 'code' | 'message' | 'remedy'> & { line?: number; column?: number };

function failed(file: string, trouble: Trouble): TextResult {
  const { code, message, remedy, line, column } = trouble;
  const place = line === undefined || column === undefined ? { file } : { file, line, column };
  return { problem: { severity: 'error', code, message, place, remedy } };
}

/** At most one byte more than the limit is read, so that a huge file or an endless device costs nothing. */
function readBounded(file: string): Buffer | 'not-a-file' | 'too-big' {
  // O_NONBLOCK: opening a FIFO by mistake must fail, not wait.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) return 'not-a-file';
    const buffer = Buffer.alloc(CONFIG_FILE_BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.subarray(0, length);
      length += count;
      if (length > CONFIG_FILE_BYTES_MAX) return 'too-big';
    }
  } finally {
    closeSync(fd);
  }
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Offset of the first byte that is not UTF-8, or -1. */
function firstBadByte(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  let offset = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    // A replacement character stands for a bad byte, unless the file itself holds one.
    if (character === '\ufffd' && !bytes.subarray(offset, offset + 3).equals(REPLACEMENT))
      return offset;
    offset += size;
  }
  return -1;
}

/** The configuration language of 1999: Perl assignments and hashes. XML never starts so. */
export function looksLikePerl(text: string): boolean {
  const code = text.replace(/^(?:\s+|#[^\n]*\n)+/, '');
  return /^(?:[$@%]|my\s|\{|\()/.test(code) || (code.includes('=>') && !code.includes('<'));
}

/** The oldest sysid of all was words: the name of the host, perhaps its presto device and its address. */
const PLAIN_SYSID =
  /^(?:\s*#[^\n]*\n)*\s*[A-Za-z0-9][\w.-]*(?:[ \t]+\/\S+)?(?:[ \t]+[\da-fA-F.:]+)?\s*$/;

/** What a file is in that is not UTF-8: editors of other systems begin UTF-16 with a mark. */
function encodingOf(bytes: Buffer): string {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
  return mark === 0xfeff || mark === 0xfffe ? 'UTF-16' : 'LATIN1';
}

function decode(file: string, bytes: Buffer): TextResult {
  const bad = firstBadByte(bytes);
  if (bad >= 0) {
    const before = bytes.subarray(0, bad).toString('utf8');
    const lineStart = before.lastIndexOf('\n') + 1;
    return failed(file, {
      code: 'config-encoding',
      message: 'the file is not UTF-8 text',
      line: before.split('\n').length,
      column: before.length - lineStart + 1,
      remedy: `Replace the character here, or convert the file: iconv -f ${encodingOf(bytes)} -t UTF-8 ${file}`,
    });
  }
  return { text: bytes.toString('utf8').replace(/^\ufeff/, '') };
}

function describeFailure(file: string, error: unknown, whatMakesIt: string): TextResult {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return failed(file, {
      code: 'config-missing',
      message: 'the file does not exist',
      remedy: whatMakesIt,
    });
  }
  const remedy =
    code === 'EACCES' || code === 'EPERM'
      ? 'Run the command as root.'
      : `Look at the file with: ls -ld ${file}`;
  return failed(file, {
    code: 'config-unreadable',
    message: `the file cannot be read (${code ?? message})`,
    remedy,
  });
}

/**
 * Reads a file as text of bounded size, without looking at what it says.
 *
 * @param root what the file should hold, for the messages
 * @param whatMakesIt the sentence that tells how such a file comes to be
 */
export function readAnyText(file: string, root: string, whatMakesIt: string): TextResult {
  let bytes: ReturnType<typeof readBounded>;
  try {
    bytes = readBounded(file);
  } catch (error) {
    return describeFailure(file, error, whatMakesIt);
  }
  if (bytes === 'not-a-file') {
    return failed(file, {
      code: 'config-unreadable',
      message: 'this is not a regular file',
      remedy: whatMakesIt,
    });
  }
  if (bytes === 'too-big') {
    return failed(file, {
      code: 'config-too-big',
      message: `the file is larger than ${CONFIG_FILE_BYTES_MAX} bytes`,
      remedy: `Check that this really is a configuration file holding ${root}.`,
    });
  }
  return decode(file, bytes);
}

/** The same for a configuration file: refuses what cannot be one. */
export function readTextFile(file: string, root: string, whatMakesIt: string): TextResult {
  const decoded = readAnyText(file, `<${root}>`, whatMakesIt);
  if ('problem' in decoded) return decoded;
  if (decoded.text.trim() === '') {
    return failed(file, {
      code: 'config-empty',
      message: 'the file is empty',
      line: 1,
      column: 1,
      remedy: whatMakesIt,
    });
  }
  if (looksLikePerl(decoded.text) || (root === 'sysid' && PLAIN_SYSID.test(decoded.text))) {
    const lines = decoded.text.split('\n');
    const isCode = (line: string): boolean => /^\s*[^\s#]/.test(line);
    const line = Math.max(0, lines.findIndex(isCode));
    return failed(file, {
      code: 'config-perl',
      message: `this file is of the Perl era of InterMezzo: it starts with ${quoted((lines[line] ?? '').trim())}`,
      line: line + 1,
      column: (lines[line] ?? '').search(/\S/) + 1,
      remedy: `Convert it to XML, as <${root}>: izo config-check --fix`,
    });
  }
  return decoded;
}

/** What a configuration file holds that has been read without problems; undefined where there is none. */
export function presentText(file: string): string | undefined {
  const result = readTextFile(file, '', '');
  return 'text' in result ? result.text : undefined;
}

/** The text of a file that can be read, whatever it says; undefined where there is none. */
export function presentAnyText(file: string): string | undefined {
  const result = readAnyText(file, '', '');
  return 'text' in result ? result.text : undefined;
}
