import { IzoError } from '../model/errors.js';

/** The cache has to be made first. */
export function notFormatted(message: string, device: string, fileset: string): IzoError {
  return new IzoError('not-formatted', message, {
    place: { file: device },
    remedy: `izo mkizofs -v ${fileset} ${device}`,
  });
}
