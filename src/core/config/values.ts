import { isIP } from 'node:net';
import { LIMITS } from '../model/limits.js';
import { isValidHostName } from '../model/names.js';
import { parseSize } from '../model/sizes.js';
import { didYouMean, listed, quoted } from './suggest.js';

/** Why a value was not taken. */
export interface Refusal {
  code: string;
  message: string;
  remedy: string;
}

/** A value that was understood, or the refusal. */
export type Checked<T> = { value: T } | { refusal: Refusal };

/** Understands a value as it stands in a file, an option or a token. */
export type Check<T> = (text: string) => Checked<T>;

function refuse<T>(code: string, message: string, remedy: string): Checked<T> {
  return { refusal: { code, message, remedy } };
}

/** A sysid or fileset name: they become names of files and parts of a TLS identity. */
export const checkName: Check<string> = (text) =>
  isValidHostName(text)
    ? { value: text }
    : refuse(
        'bad-name',
        text === '' ? 'the name is empty' : `${quoted(text)} is not a valid name`,
        'Use letters, digits, `.`, `_` and `-`, a letter or digit first, at most 64 characters.',
      );

/** An address to listen on; the unspecified address means all interfaces. */
export const checkBindAddress: Check<string> = (text) =>
  isIP(text) === 0
    ? refuse(
        'bad-address',
        `${quoted(text)} is not an IPv4 or IPv6 address`,
        'Write the number, such as 192.168.0.3 or fd00::3, not a name.',
      )
    : { value: text };

/** An address to connect to. */
export const checkAddress: Check<string> = (text) =>
  text === '0.0.0.0' || text === '::'
    ? refuse(
        'bad-address',
        `${quoted(text)} means every interface; no client can connect to it`,
        'Write the address by which the other hosts reach the server.',
      )
    : checkBindAddress(text);

export const checkPort: Check<number> = (text) => {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535
    ? { value: port }
    : refuse(
        'bad-port',
        `${quoted(text)} is not a port`,
        'Write a number from 1 to 65535, or leave it out for 2222.',
      );
};

/** The last part becomes a directory of the run-time directory, hence the narrow choice of characters. */
const PSDEV = /^\/(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*([A-Za-z0-9][A-Za-z0-9._-]{0,31})$/;

/** The name of a presto device, such as /dev/intermezzo0. The device node itself need not exist. */
export const checkPsdev: Check<string> = (text) =>
  PSDEV.test(text)
    ? { value: text }
    : refuse(
        'bad-psdev',
        `${quoted(text)} cannot be a presto device`,
        'Write a path such as /dev/intermezzo0, its last part of letters, digits, `.`, `_` and `-`.',
      );

/** The last part of a presto device's path: `/dev/intermezzo0` -> `intermezzo0`. */
export function psdevBaseName(psdev: string): string | undefined {
  return PSDEV.exec(psdev)?.[1];
}

/** How much of a log is kept: bytes, not less than what is always kept. */
export const checkLogSize: Check<number> = (text) => {
  const size = parseSize(text);
  return size !== undefined && size >= LIMITS.logLeastBytes
    ? { value: size }
    : refuse(
        'bad-log-size',
        `${quoted(text)} is not a size of 1M or more`,
        'Write a number with K, M, G or T, such as 64M.',
      );
};

/** One of a few words. */
export function checkWord<W extends string>(words: readonly W[], code: string): Check<W> {
  return (text) => {
    const word = words.find((each) => each === text);
    return word === undefined
      ? refuse(
          code,
          `${quoted(text)} is none of ${listed(words)}`,
          `${didYouMean(text, words)}Write one of ${listed(words)}.`,
        )
      : { value: word };
  };
}
