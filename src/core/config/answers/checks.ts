import { isAbsolute, normalize } from 'node:path';
import { parseSize } from '../../model/sizes.js';
import { quoted } from '../suggest.js';
import type { Check, Checked } from '../values.js';

function refuse<T>(code: string, message: string, remedy: string): Checked<T> {
  return { refusal: { code, message, remedy } };
}

/** An absolute path that an entry of fstab can hold. */
export const checkPath: Check<string> = (text) =>
  isAbsolute(text) && !/\p{Cc}/u.test(text) && normalize(text) !== '/'
    ? { value: normalize(text).replace(/\/$/, '') }
    : refuse(
        'bad-path',
        `${quoted(text)} is not an absolute path`,
        'Write the whole path, such as /var/lib/intermezzo/shared.img or /izo0.',
      );

/** The name of a sysid file in the configuration directory. */
export const checkIdfile: Check<string> = (text) =>
  /^sysid(\.[A-Za-z0-9._-]{1,64})?$/.test(text) && !text.endsWith('.bak')
    ? { value: text }
    : refuse(
        'bad-idfile',
        `${quoted(text)} cannot be the name of a sysid file`,
        'Write `sysid`, or `sysid.NAME` for another lento on this host.',
      );

export const checkSize: Check<number> = (text) => {
  const value = parseSize(text);
  return value === undefined
    ? refuse('bad-size', `${quoted(text)} is not a size`, 'Write 512M or 1G.')
    : { value };
};

/** Options of fstab that are nobody else's business; what they mean is checked in the line they become part of. */
export const checkOptions: Check<string> = (text) =>
  /^[^\s#"]*$/.test(text)
    ? { value: text }
    : refuse(
        'bad-option',
        `${quoted(text)} is no list of options`,
        'Write options separated by commas, without blanks, such as noauto,nosuid.',
      );
