import type { Operation } from '../operation.js';
import { BatchForgetIn, ForgetIn, ForgetOne } from '../protocol.js';

/** The kernel gives lookups back. It expects no answer. */

export const forget: Operation = {
  run(x) {
    x.operations.forget(x.node, x.request.u64(ForgetIn.nlookup));
    return 0;
  },
  silent: true,
};

export const batchForget: Operation = {
  run({ request, operations }) {
    const count = request.u32(BatchForgetIn.count);
    for (let index = 0; index < count; index++) {
      const at = BatchForgetIn.size + index * ForgetOne.size;
      if (!request.has(at + ForgetOne.size)) break;
      operations.forget(request.u64(at + ForgetOne.nodeid), request.u64(at + ForgetOne.nlookup));
    }
    return 0;
  },
  silent: true,
};
