import { IzoError } from '../model/errors.js';

/** The cache has to be made first. */
export function notFormatted(message: string, device: string, fileset: string): IzoError {
  return new IzoError('not-formatted', message, {
    place: { file: device },
    remedy: `izo mkizofs -v ${fileset} ${device}`,
  });
}

/** An ext3 or ext4 without a fileset, whose files somebody may want to keep. */
export function notConverted(device: string, fileset: string): IzoError {
  return new IzoError('not-formatted', 'this cache has not been made a fileset yet', {
    place: { file: device },
    remedy: `izo mkizofs --convert -v ${fileset} ${device} (keeps its files)`,
  });
}
