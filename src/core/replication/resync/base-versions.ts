import { formatObjectId, NO_OBJECT, sameObject, type Stamp } from '../../model/ids.js';
import { Opcode, type JournalRecord } from '../../model/records.js';

/** Versions of an object before the first record that is pending; undefined where none of them tells. */
export interface BaseVersions {
  content: Stamp | undefined;
  attributes: Stamp | undefined;
}

/** What the client's pending records tell of the versions that the server has seen last of their objects: by object id. */
export function baseVersions(pending: readonly JournalRecord[]): Map<string, BaseVersions> {
  const versions = new Map<string, BaseVersions>();
  const of = (key: string): BaseVersions => {
    const known = versions.get(key) ?? { content: undefined, attributes: undefined };
    versions.set(key, known);
    return known;
  };
  for (const { head, body } of pending) {
    switch (body.op) {
      case Opcode.SETATTR:
      case Opcode.SETEXTATTR:
      case Opcode.DELEXTATTR:
        of(formatObjectId(head.object)).attributes ??= head.before;
        break;
      case Opcode.RENAME:
        if (!sameObject(body.replaced, NO_OBJECT)) {
          of(formatObjectId(body.replaced)).content ??= body.replacedStamp;
        }
        of(formatObjectId(head.object)).content ??= head.before;
        break;
      case Opcode.CLOSE:
      case Opcode.LINK:
      case Opcode.UNLINK:
      case Opcode.RMDIR:
        of(formatObjectId(head.object)).content ??= head.before;
        break;
      default:
        break;
    }
  }
  return versions;
}
