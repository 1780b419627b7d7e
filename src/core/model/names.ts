import { LIMITS } from './limits.js';

/** Directory at the fileset's root that holds izo's own files; invisible through the mount. */
export const META_DIRECTORY = '.intermezzo';

/** Names at the root of a cache that belong to the cache and not to the fileset. */
const RESERVED_AT_ROOT = new Set([META_DIRECTORY, 'lost+found']);

/** True where `name` is a directory entry a peer or a program may use: 1 to 255 bytes, no slash, no NUL, not `.`/`..`. */
export function isValidName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= LIMITS.nameBytes &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0')
  );
}

/** True where the name stands for something of the cache's own when it is found directly in the root. */
export function isReservedAtRoot(name: string): boolean {
  return RESERVED_AT_ROOT.has(name);
}

/**
 * True for a path as records use it: valid names joined by single slashes, and not one of the cache's own. The root
 * (empty path) is valid only where `root` says so.
 */
export function isValidPath(path: string, root = false): boolean {
  if (path === '') return root;
  if (path.length > LIMITS.pathBytes) return false;
  const names = path.split('/');
  return names.every(isValidName) && !isReservedAtRoot(names[0] ?? '');
}

/** Splits a path into its directory (empty: the root) and its last name. */
export function splitPath(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  return slash < 0
    ? { directory: '', name: path }
    : { directory: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** A sysid or fileset name: it becomes a file name, an XML attribute and part of a TLS identity. */
export function isValidHostName(name: string): boolean {
  return name.length <= LIMITS.sysidNameBytes && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
}

/** Bytes as a person reads them: UTF-8 where it is valid, else escapes; control characters always escaped. */
export function displayBytes(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1');
  const text = buffer.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(buffer);
  const odd = isText ? /[\u0000-\u001f\u007f-\u009f\\]/g : /[^\u0020-\u007e]|\\/g;
  return (isText ? text : bytes).replace(odd, (c) =>
    c === '\\' ? '\\\\' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Undoes the escapes of displayBytes in what a person has copied from there. @returns bytes, as latin1 */
export function bytesOfDisplay(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(/\\(?:\\|x([0-9a-f]{2}))/g, (_, digits?: string) =>
    digits === undefined ? '\\' : String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
