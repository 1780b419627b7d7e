import { NO_STAMP, sameStamp } from '../../model/ids.js';
import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { isValidPath } from '../../model/names.js';
import { touchedBy, type Touched } from '../../replication/resync/touched.js';
import { S_IFMT, S_IFREG } from '../../system/attr.js';
import type { Exchange } from '../../wire/connection.js';
import { Code } from '../../wire/kinds.js';
import {
  decodeContentsRequest,
  decodeWalkRequest,
  encodeObject,
  encodeTreeItem,
  encodeWalkTrailer,
  type TreeItem,
} from '../../wire/messages.js';
import { readLowerContents, readLowerObject } from '../merging/lower-object.js';
import type { Replica } from '../replica.js';
import { lowerEntries } from './lower-entries.js';

/** What is sent at once. */
const PAGE_BYTES = LIMITS.chunkBytes / 2;

/** Time that a request may take from other work, at a stretch: a client has several on their way. */
const SLICE_MS = 2;

/** @param onProgress something of the answer was taken */
export async function serveWalk(
  replica: Replica,
  payload: Buffer,
  exchange: Exchange,
  onProgress: () => void,
): Promise<void> {
  const { since } = decodeWalkRequest(payload);
  const recno = await replica.currentEnd();
  const checksum = replica.reader.positionAt(recno)?.checksum ?? 0;
  const touched = since === 0 ? undefined : touchedSince(replica, since, recno);
  const pages = new Pages(exchange, onProgress);
  for (const path of touched?.shallow ?? []) {
    const found = readLowerObject(replica.lowerFd, path, { allFlags: true });
    if (found !== undefined) await pages.put({ entry: { path, ...found }, contents: undefined });
  }
  for (const path of touched?.deep ?? ['']) {
    for await (const entry of lowerEntries(replica.lowerFd, path)) {
      await pages.put({ entry, contents: undefined });
    }
  }
  await pages.flush();
  const still = (await replica.currentEnd()) === recno;
  exchange.reply(Code.ok, encodeWalkTrailer({ recno, checksum, still, touched }));
}

/** @returns undefined where that is not in the log any more, or too much */
function touchedSince({ reader }: Replica, since: Recno, end: Recno): Touched | undefined {
  if (since > end || reader.around(since + 1, end) === undefined) return undefined;
  const limits = { records: LIMITS.resyncTouched, bytes: LIMITS.stretchBytes };
  const { records, next } = reader.read(since + 1, limits, end);
  if (next <= end) return undefined;
  const touched = touchedBy(records.map(({ record }) => record));
  const paths = [...touched.deep, ...touched.shallow];
  const bytes = paths.reduce((sum, path) => sum + path.length, 0);
  const isMuch = paths.length > LIMITS.resyncTouched || bytes > LIMITS.resyncTouchedBytes;
  return isMuch ? undefined : touched;
}

/** Files that are gone, being written, or not small any more are left out. */
export async function serveContents(
  replica: Replica,
  payload: Buffer,
  exchange: Exchange,
  onProgress: () => void,
): Promise<void> {
  const pages = new Pages(exchange, onProgress);
  let sliceEnd = performance.now() + SLICE_MS;
  for (const path of decodeContentsRequest(payload).paths) {
    const item = isValidPath(path) ? await smallFile(replica.lowerFd, path) : undefined;
    if (item !== undefined) await pages.put(item);
    if (performance.now() < sliceEnd) continue;
    await new Promise((resume) => setImmediate(resume));
    sliceEnd = performance.now() + SLICE_MS;
  }
  await pages.flush();
  exchange.reply(Code.ok);
}

async function smallFile(lowerFd: number, path: string): Promise<TreeItem | undefined> {
  const before = readLowerObject(lowerFd, path);
  const isSmall =
    before !== undefined &&
    (before.mode & S_IFMT) === S_IFREG &&
    before.size <= LIMITS.inlineContentBytes &&
    !sameStamp(before.content, NO_STAMP);
  if (!isSmall) return undefined;
  const chunks: Buffer[] = [];
  const { size, checksum } = await readLowerContents(
    lowerFd,
    path,
    (chunk) => {
      chunks.push(Buffer.from(chunk));
      return Promise.resolve();
    },
    LIMITS.inlineContentBytes,
  );
  const after = readLowerObject(lowerFd, path);
  const same = after?.size === size && sameStamp(after.content, before.content);
  if (!same || size > LIMITS.inlineContentBytes) return undefined;
  return { entry: { path, ...after, checksum }, contents: Buffer.concat(chunks) };
}

class Pages {
  readonly #items: Buffer[] = [];
  #bytes = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly onProgress: () => void,
  ) {}

  async put(item: TreeItem): Promise<void> {
    const { entry, contents } = item;
    const bytes = encodeTreeItem(entry.path, encodeObject(entry), contents);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    this.#items.push(length, bytes);
    this.#bytes += length.length + bytes.length;
    if (this.#bytes >= PAGE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    this.#bytes = 0;
    await this.exchange.data(Buffer.concat(this.#items.splice(0)));
    this.onProgress();
  }
}
