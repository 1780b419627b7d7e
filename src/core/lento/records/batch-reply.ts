import { E } from '../../system/errno.js';
import type { Reply } from '../../wire/connection.js';
import { decodeBatchReply, decodeReason, type BatchReply } from '../../wire/messages.js';

/** The answer to RECORDS. Who has the fileset not mounted (any more), or failed in another way, says so as always. */
export function readBatchReply({ code, payload }: Reply): BatchReply {
  if (code === E.ENOTCONN) return { expected: 0, message: decodeReason(payload) };
  if (payload.length === 0) return { expected: 0, message: `no answer but the code ${code}` };
  return decodeBatchReply(payload);
}
