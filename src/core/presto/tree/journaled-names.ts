import { KmlReader, type FilesetLogs } from '../../journal/index.js';
import type { Recno } from '../../model/ids.js';
import { Opcode, type JournalRecord } from '../../model/records.js';
import { must } from '../../system/errno.js';
import { O_NOFOLLOW, O_RDONLY, openat } from '../../system/files.js';

const AT_ONCE = { records: 1_000, bytes: 4 * 2 ** 20 };

/** What a log tells of the names of files that have several. Read when it is asked first: it rarely is. */
export class JournaledNames {
  readonly #upto: Recno;
  #links: Set<string> | undefined;

  /** Records that are appended from now on are not looked at. */
  constructor(private readonly logs: FilesetLogs) {
    this.#upto = logs.kml.end.recno;
  }

  /** The path at which the object was made whose making is record `recno`; undefined for none. */
  madeAt(recno: Recno): string | undefined {
    return this.#read((reader) => {
      const [first] = reader.read(recno, { ...AT_ONCE, records: 1 }, this.#upto).records;
      const { head, body } = first?.record ?? {};
      return head?.recno === recno && body !== undefined && 'path' in body ? body.path : undefined;
    });
  }

  /** Whether a record gives an object this name as a further one. */
  isLink(path: string): boolean {
    this.#links ??= this.#read((reader) => this.#allLinks(reader));
    return this.#links.has(path);
  }

  #allLinks(reader: KmlReader): Set<string> {
    const links = new Set<string>();
    const note = ({ body }: JournalRecord): void => {
      if (body.op === Opcode.LINK) links.add(body.newPath);
    };
    for (let from = reader.header.firstRecno; from <= this.#upto;) {
      const { records, next } = reader.read(from, AT_ONCE, this.#upto);
      for (const { record } of records) note(record);
      from = next;
    }
    return links;
  }

  #read<T>(ask: (reader: KmlReader) => T): T {
    const fd = openat(this.logs.directory, 'kml', O_RDONLY | O_NOFOLLOW);
    const reader = new KmlReader(must('open', fd, 'kml'));
    try {
      return ask(reader);
    } finally {
      reader.close();
    }
  }
}
