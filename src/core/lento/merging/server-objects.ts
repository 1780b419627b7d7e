import { open, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { LIMITS } from '../../model/limits.js';
import type { JournalRecord } from '../../model/records.js';
import type { WireItem } from '../../psdev/items.js';
import { writeAll } from '../../system/write-all.js';
import type { Connection } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Kind } from '../../wire/kinds.js';
import {
  decodeObject,
  encodeObjectRequest,
  type Address,
  type ObjectDescription,
} from '../../wire/messages.js';
import type { CollectedItem } from '../records/record-sink.js';
import type { MergeStage } from './merge-stage.js';
import type { ServerObjects } from './plan-builder.js';

/** The server's side of a merge: the records that wait here with their contents, and objects asked for. */
export class CollectedObjects implements ServerObjects {
  readonly #items = new Map<number, CollectedItem>();

  constructor(
    private readonly stage: MergeStage,
    private readonly connection: Connection,
    private readonly address: Address,
    collected: readonly CollectedItem[],
  ) {
    for (const item of collected) this.#items.set(item.record.head.recno, item);
  }

  async contentsOf({ head }: JournalRecord): Promise<WireItem> {
    const item = this.#items.get(head.recno);
    if (item === undefined) throw new ProtocolError('a record that nobody sent');
    return item.contents;
  }

  async fetch(serverPath: string, name: string): Promise<ObjectDescription> {
    return this.fetchTo(serverPath, this.stage.path(name));
  }

  /** @param file where the contents are written; made anew */
  async fetchTo(serverPath: string, file: string): Promise<ObjectDescription> {
    return fetchObject(this.connection, this.address, serverPath, file);
  }
}

/** Gets a whole object of the server's; its contents are in `file` afterwards. @throws FetchFailed, ProtocolError */
export async function fetchObject(
  connection: Connection,
  address: Address,
  serverPath: string,
  file: string,
  onProgress?: (position: number, bytes: number) => void,
): Promise<ObjectDescription> {
  const fetch = connection.fetch(
    Kind.OBJECT,
    encodeObjectRequest({ ...address, path: serverPath }),
  );
  await rm(file, { force: true });
  const out = await open(file, 'wx', 0o600);
  try {
    let size = 0;
    let checksum = 0;
    for await (const chunk of fetch) {
      checksum = crc32(chunk, checksum);
      // Holes stay holes.
      if (!chunk.equals(ZEROS.subarray(0, chunk.length))) {
        await writeAll(out, chunk, size);
      }
      size += chunk.length;
      onProgress?.(size, chunk.length);
    }
    await out.truncate(size);
    const object = decodeObject(fetch.trailer);
    if (object.size !== size || object.checksum !== checksum) {
      throw new ProtocolError('an object does not have the size and checksum that were sent');
    }
    return object;
  } finally {
    await out.close();
  }
}

const ZEROS = Buffer.alloc(LIMITS.chunkBytes);
