import type { DecodedRecord } from '../../journal/index.js';
import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { Stretch } from '../../model/position.js';
import { Backlog } from '../../replication/shorten/backlog.js';
import type { Replica } from '../replica.js';

/** What a peer has missed of this host's log, and gets shortened. */
export class PeerBacklog extends Backlog<DecodedRecord> {
  /** @param begun what the peer has in part. @param upto records up to this one were made before it was connected; 0: none */
  constructor(replica: Replica, begun: Stretch, upto: Recno) {
    const limits = { records: LIMITS.stretchRecords, bytes: LIMITS.stretchBytes };
    const read = (from: Recno, to: Recno): readonly DecodedRecord[] =>
      replica.reader.read(from, limits, to).records;
    super({ read, notVoid: (recno) => replica.notVoid(recno) }, begun, upto);
  }
}
