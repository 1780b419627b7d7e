import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';

/** The same failure as mount(8) and umount(8) expect it of a helper: they know their codes, not ours. */
export function helperFailure(error: unknown): unknown {
  if (!(error instanceof IzoError)) return error;
  const { code, message, place, remedy } = error;
  return new IzoError(code, message, {
    exit: EXIT.mountFailed,
    cause: error,
    ...(place === undefined ? {} : { place }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
