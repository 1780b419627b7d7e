import { formatObjectId } from '../../model/ids.js';
import { Opcode, type JournalRecord } from '../../model/records.js';

/**
 * What the server's news have changed in its tree. Contents that their maker had replaced before they could be sent never came
 * to the server, and the CLOSE changed nothing there; what replaced them has yet to come, perhaps long after this merge. That
 * does not concern contents which are missing because the news tell of later ones.
 * @param isHere whether the contents of the CLOSE came
 */
export function writtenNews(
  news: readonly JournalRecord[],
  isHere: (closed: JournalRecord, index: number) => boolean,
): JournalRecord[] {
  const written = new Set<string>();
  const unwritten = new Set<JournalRecord>();
  for (const [index, record] of [...news.entries()].reverse()) {
    if (record.body.op !== Opcode.CLOSE) continue;
    const object = formatObjectId(record.head.object);
    if (isHere(record, index)) written.add(object);
    else if (!written.has(object)) unwritten.add(record);
  }
  return news.filter((record) => !unwritten.has(record));
}
