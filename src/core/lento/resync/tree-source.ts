import { NO_STAMP, sameStamp } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { isValidPath } from '../../model/names.js';
import { S_IFMT, S_IFREG } from '../../system/attr.js';
import type { Exchange } from '../../wire/connection.js';
import { Code } from '../../wire/kinds.js';
import {
  decodeContentsRequest,
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

/** @param onProgress something of the answer was taken */
export async function serveWalk(
  replica: Replica,
  exchange: Exchange,
  onProgress: () => void,
): Promise<void> {
  const recno = await replica.currentEnd();
  const checksum = replica.reader.positionAt(recno)?.checksum ?? 0;
  const pages = new Pages(exchange, onProgress);
  for await (const entry of lowerEntries(replica.lowerFd)) {
    await pages.put({ entry, contents: undefined });
  }
  await pages.flush();
  const still = (await replica.currentEnd()) === recno;
  exchange.reply(Code.ok, encodeWalkTrailer({ recno, checksum, still }));
}

/** Files that are gone, being written, or not small any more are left out. */
export async function serveContents(
  replica: Replica,
  payload: Buffer,
  exchange: Exchange,
  onProgress: () => void,
): Promise<void> {
  const pages = new Pages(exchange, onProgress);
  for (const path of decodeContentsRequest(payload).paths) {
    const item = isValidPath(path) ? await smallFile(replica.lowerFd, path) : undefined;
    if (item !== undefined) await pages.put(item);
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
  const { size, checksum } = await readLowerContents(lowerFd, path, (chunk) => {
    chunks.push(Buffer.from(chunk));
    return Promise.resolve();
  });
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
