import { decodeRecord } from '../../journal/index.js';
import { FrameError } from '../../psdev/frames.js';
import type { WireItem } from '../../psdev/items.js';
import type { RemoteItem } from './applier.js';

/** Reads what lento sends for one record. @throws FrameError for what no lento sends */
export function remoteItem(item: WireItem): RemoteItem {
  const decoded = decodeRecord(item.record, 0);
  if (typeof decoded === 'string') throw new FrameError(`a record: ${decoded}`);
  const { record, checksum } = decoded;
  if (item.content === 'none') return { record, checksum, contents: undefined };
  if (item.content === 'inline') {
    return { record, checksum, contents: { kind: 'inline', data: item.data } };
  }
  const name = item.data.toString('latin1');
  if (!/^[0-9a-z-]+$/.test(name)) throw new FrameError('a stage name that is none');
  const kind = item.content === 'staged' ? 'staged' : 'patch-file';
  return { record, checksum, contents: { kind, name } };
}
