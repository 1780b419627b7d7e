import { Opcode, type JournalRecord } from '../../model/records.js';
import { Lives } from './lives.js';
import { Places } from './places.js';
import { withoutSuperseded } from './superseded.js';

/**
 * A history that leads to the same tree as `records`, whatever they begin with, and is as short as is worth the trouble: a
 * window of a log that goes to somebody who has nothing of it yet, but for the first record perhaps, which stays as it is.
 * Its records keep their numbers and their order, and each fits the tree that those before it make. Pure, and the same
 * for the same records: who was cut off in the middle of it goes on in the middle of it.
 *
 * Left out is what nobody will see: objects that are made and removed again, contents that are overwritten, attributes that
 * are set again. What gives directories their times, their default ACLs and flags stays where it is.
 */
export function shorten(records: readonly JournalRecord[]): JournalRecord[] {
  const news = records.filter(({ body }) => body.op !== Opcode.NOOP);
  const lasting = new Lives(stepsOf(news)).left();
  return withoutSuperseded(stepsOf(lasting));
}

function stepsOf(records: readonly JournalRecord[]): ReturnType<Places['step']>[] {
  const places = new Places();
  return records.map((record) => places.step(record));
}
