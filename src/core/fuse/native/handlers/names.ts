import { E } from '../../../system/errno.js';
import type { Exchange } from '../exchange.js';
import { operation, withoutCount } from '../operation.js';
import { bytesOf } from '../paths.js';

/**
 * Names: made, moved and removed. There is no `create`, for it would come without the flags of open(2): the kernel then
 * makes the file by mknod, and opens it.
 */

/** The kernel has applied the umask to modes already. */
const MASKED = 0;

/** libfuse looks up again what was made. */
function made(x: Exchange, result: number): number {
  if (result === 0) x.paths.release(x.entry.node);
  return result;
}

export const mknod = operation<[path: string, mode: number, device: number]>(
  (x, _, path, mode, device) =>
    x.paths.in(path, (parent, name) =>
      made(x, x.operations.mknod(x.caller, parent, name, mode, MASKED, device, x.entry)),
    ),
);

export const mkdir = operation<[path: string, mode: number]>((x, _, path, mode) =>
  x.paths.in(path, (parent, name) =>
    made(x, x.operations.mkdir(x.caller, parent, name, mode, MASKED, x.entry)),
  ),
);

export const symlink = operation<[target: string, path: string]>((x, _, text, path) => {
  const target = bytesOf(text);
  if (target === undefined) return -E.EILSEQ;
  return x.paths.in(path, (parent, name) =>
    made(x, x.operations.symlink(x.caller, parent, name, target, x.entry)),
  );
});

export const link = operation<[path: string, newPath: string]>((x, _, path, newPath) =>
  x.paths.at(path, (node) =>
    x.paths.in(newPath, (parent, name) =>
      made(x, x.operations.link(x.caller, node, parent, name, x.entry)),
    ),
  ),
);

export const unlink = operation<[path: string]>((x, _, path) =>
  x.paths.in(path, (parent, name) => withoutCount(x.operations.unlink(x.caller, parent, name))),
);

export const rmdir = operation<[path: string]>((x, _, path) =>
  x.paths.in(path, (parent, name) => {
    const result = withoutCount(x.operations.rmdir(x.caller, parent, name));
    if (result === 0) x.paths.changed(parent, name);
    return result;
  }),
);

export const rename = operation<[path: string, newPath: string]>((x, _, path, newPath) =>
  x.paths.in(path, (parent, name) =>
    x.paths.in(newPath, (newParent, newName) => {
      const { operations, caller } = x;
      const result = withoutCount(operations.rename(caller, parent, name, newParent, newName, 0));
      if (result !== 0) return result;
      x.paths.changed(parent, name);
      x.paths.changed(newParent, newName);
      return 0;
    }),
  ),
);
