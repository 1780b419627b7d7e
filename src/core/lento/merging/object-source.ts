import { NO_OBJECT, sameObject } from '../../model/ids.js';
import { isValidPath } from '../../model/names.js';
import { S_IFMT, S_IFREG } from '../../system/attr.js';
import { ESTALE } from '../../system/errno.js';
import type { Exchange } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Code } from '../../wire/kinds.js';
import { decodeObjectRequest, encodeObject, encodeReason } from '../../wire/messages.js';
import type { Flow } from '../status/flow.js';
import type { Replica } from '../replica.js';
import { readLowerContents, readLowerObject } from './lower-object.js';

/** Answers OBJECT. Who asks holds the permit, so that nothing changes; where something does, ESTALE. */
export async function serveObject(
  replica: Replica,
  payload: Buffer,
  exchange: Exchange,
  flow: Flow,
  onPiece: () => void,
): Promise<void> {
  const { path } = decodeObjectRequest(payload);
  if (!isValidPath(path)) throw new ProtocolError('an impossible path');
  const before = readLowerObject(replica.lowerFd, path);
  if (before === undefined || sameObject(before.object, NO_OBJECT)) {
    exchange.reply(Code.failed, encodeReason('there is no such object'));
    return;
  }
  if ((before.mode & S_IFMT) !== S_IFREG) {
    exchange.reply(Code.ok, encodeObject(before));
    return;
  }
  const ranges = [{ offset: 0, length: before.size }];
  const { size, checksum } = await flow.during('to', { path, ranges }, (transfer) => {
    let position = 0;
    return readLowerContents(replica.lowerFd, path, (chunk) => {
      onPiece();
      position += chunk.length;
      transfer.reached(position, chunk.length);
      return exchange.data(chunk);
    });
  });
  const after = readLowerObject(replica.lowerFd, path);
  const same =
    after !== undefined && after.size === size && after.content.recno === before.content.recno;
  if (same) exchange.reply(Code.ok, encodeObject({ ...after, checksum }));
  else exchange.reply(ESTALE);
}
