import { IzoError } from '../../model/errors.js';
import type { MountRequest } from '../mount-request.js';
import { CACHE_OPTIONS, STRING_BYTES } from './limits.js';

/** The options for libfuse 2 and the kernel, as one argument of a command. @throws IzoError where it is too long */
export function mountString({
  source,
  mountPoint,
  readOnly,
  mountOptions = {},
}: MountRequest): string {
  const { nosuid, nodev, noexec, noatime, sync, dirsync } = mountOptions;
  const words = [
    `fsname=${escaped(source)}`,
    'subtype=InterMezzo',
    // Who may do what is decided by the kernel from owner and mode. Without allow_other: see NATIVE_LIMITS.
    'default_permissions',
    'use_ino',
    'big_writes',
    'atomic_o_trunc',
    ...CACHE_OPTIONS,
    // libfuse has it the other way round unless told.
    nosuid === true ? 'nosuid' : 'suid',
    nodev === true ? 'nodev' : 'dev',
    ...(readOnly ? ['ro'] : []),
    ...(noexec === true ? ['noexec'] : []),
    ...(noatime === true ? ['noatime'] : []),
    ...(sync === true ? ['sync'] : []),
    ...(dirsync === true ? ['dirsync'] : []),
  ];
  const options = `-o${words.join(',')}`;
  for (const text of [mountPoint, options]) {
    if (Buffer.byteLength(text) <= STRING_BYTES) continue;
    throw new IzoError('path-too-long', `too long for the native binding: ${text}`, {
      remedy: 'Use shorter paths, or binding=device.',
    });
  }
  return options;
}

/** Commas part options; a backslash takes their meaning away. */
function escaped(text: string): string {
  return text.replace(/[\\,]/g, '\\$&');
}
