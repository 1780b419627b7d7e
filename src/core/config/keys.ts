import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IzoError } from '../model/errors.js';
import { isValidHostName } from '../model/names.js';
import type { FileToWrite } from '../system/atomic-file.js';
import { saveConfigFiles } from './save.js';

/**
 * The secrets shared by pairs of hosts. A file's name is the same on both, and names both, so that several lentos may
 * share a configuration directory. Keys are never part of a message.
 */

export const KEY_BYTES = 32;

/** Which key: that of a client and a server, and which of the two asks. */
export interface KeyId {
  configDir: string;
  client: string;
  server: string;
  /** Sharpens the message for a missing key. */
  side?: 'client' | 'server';
}

export function keyDirectory(configDir: string): string {
  return join(configDir, 'keys');
}

export function keyPath({ configDir, client, server }: KeyId): string {
  // `@` is in no host name, so no two pairs have the same file.
  if (!isValidHostName(client) || !isValidHostName(server)) {
    throw new Error('host names are checked before keys are looked up');
  }
  return join(keyDirectory(configDir), `${client}@${server}`);
}

export function makeKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** The text of a key in files and tokens. */
export function encodeKey(key: Buffer): string {
  return key.toString('base64');
}

/** The inverse of encodeKey; undefined for anything else than 32 bytes in canonical base64. */
export function decodeKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES && encodeKey(key) === text ? key : undefined;
}

function missing(id: KeyId, file: string): IzoError {
  const { client, server, side } = id;
  const onServer = `on ${server} run \`izo invite ${client}\``;
  const onClient = `on ${client} run \`izo join TOKEN\` with the token it prints`;
  const steps =
    side === 'client' ? `${onClient} (${onServer} first)` : `${onServer}, then ${onClient}`;
  return new IzoError('no-key', `there is no key for ${client} and ${server}: ${steps}`, {
    place: { file },
    remedy: 'Without encryption, on a network you trust: `izo lento --trusted-network`.',
  });
}

function openKey(id: KeyId, file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing(id, file);
    if (code === 'ELOOP') {
      throw new IzoError('key-mode', 'the key is a symbolic link', {
        place: { file },
        remedy: `Put the key itself there: a regular file of root, mode 0600.`,
      });
    }
    throw new IzoError('key-unreadable', `the key cannot be read (${code ?? 'unknown reason'})`, {
      place: { file },
      remedy: 'Run the command as root.',
      cause: error,
    });
  }
}

/** Root, or whoever runs this: that user could read the file anyway. A daemon of root accepts root alone. */
function isTrustedOwner(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function refuseUnsafe(fd: number, file: string): void {
  const refuse = (message: string, remedy: string): never => {
    throw new IzoError('key-mode', message, { place: { file }, remedy });
  };
  const status = fstatSync(fd);
  if (!status.isFile()) refuse('the key is not a regular file', `Remove ${file} and join again.`);
  if (!isTrustedOwner(status.uid)) {
    refuse('the key does not belong to root', `chown root: ${file} && chmod 600 ${file}`);
  }
  if ((status.mode & 0o077) !== 0) {
    const mode = (status.mode & 0o777).toString(8).padStart(4, '0');
    refuse(`the key is open to others than root (mode ${mode})`, `chmod 600 ${file}`);
  }
  const directory = dirname(file);
  const above = statSync(directory);
  if (!isTrustedOwner(above.uid) || (above.mode & 0o022) !== 0) {
    refuse(
      'the directory of the key can be changed by others than root',
      `chown root: ${directory} && chmod 700 ${directory}`,
    );
  }
}

function readStart(fd: number): string {
  const buffer = Buffer.alloc(256);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0 || length === buffer.length) return buffer.toString('latin1', 0, length);
  }
}

/** Reads a key of 32 bytes. @throws IzoError `no-key`, `key-mode`, `bad-key`, `key-unreadable` */
export function readKey(id: KeyId): Buffer {
  const file = keyPath(id);
  const fd = openKey(id, file);
  try {
    refuseUnsafe(fd, file);
    const key = decodeKey(readStart(fd).trim());
    if (key !== undefined) return key;
  } finally {
    closeSync(fd);
  }
  throw new IzoError('bad-key', `the file does not hold a key of ${KEY_BYTES} bytes in base64`, {
    place: { file },
    remedy: `Make a new one: on ${id.server} run \`izo invite ${id.client} --new-key\`, then \`izo join TOKEN\` on ${id.client}.`,
  });
}

/** readKey, but undefined where there is none. */
export function findKey(id: KeyId): Buffer | undefined {
  try {
    return readKey(id);
  } catch (error) {
    if (error instanceof IzoError && error.code === 'no-key') return undefined;
    throw error;
  }
}

/** The key's file, to be written alone or with others. */
export function keyFileToWrite(id: KeyId, key: Buffer): FileToWrite {
  return { path: keyPath(id), data: `${encodeKey(key)}\n`, mode: 0o600 };
}

/** Writes a key, replacing the one there was. */
export function writeKey(id: KeyId, key: Buffer): void {
  saveConfigFiles([keyFileToWrite(id, key)]);
}
