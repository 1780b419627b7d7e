import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  ContentPieces,
  FileTooShort,
  WINDOW_BYTES,
} from '../../../src/core/lento/contents/pieces.js';
import { packPiece, unpackPiece } from '../../../src/core/lento/contents/packing.js';
import { stageContents, type Pieces } from '../../../src/core/lento/contents/stage-contents.js';
import type { Range } from '../../../src/core/model/records.js';
import { ConnectionLost, ProtocolError } from '../../../src/core/wire/errors.js';
import { decodePiece, encodeFetchTrailer, putPieceHead } from '../../../src/core/wire/messages.js';

const KIB = 1024;
const MIB = 1024 * KIB;

function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

describe('contents on their way', () => {
  let directory: string;
  const at = (name: string): string => join(directory, name);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'izo-contents-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A file with data at some places. */
  function make(name: string, size: number, data: readonly [number, Buffer][]): string {
    const fd = openSync(at(name), 'w');
    for (const [offset, bytes] of data) writeSync(fd, bytes, 0, bytes.length, offset);
    closeSync(fd);
    truncateSync(at(name), size);
    return at(name);
  }

  function pieces(path: string, ranges: readonly Range[]): Buffer[] {
    const fd = openSync(path, 'r');
    try {
      const found: Buffer[] = [];
      // Each is good until the next one is taken.
      for (const piece of new ContentPieces().of(fd, ranges)) found.push(Buffer.from(piece));
      return found;
    } finally {
      closeSync(fd);
    }
  }

  /** What a peer sends. `most`: the connection is lost after so many pieces. */
  function sender(path: string, ranges: readonly Range[], packed = false) {
    const size = statSync(path).size;
    const sent = { bytes: 0, most: Infinity };
    const fetch = (from: number): Pieces => {
      const all = pieces(path, ranges);
      const checksum = all.reduce((sum, piece) => crc32(piece, sum), 0);
      const send = async function* (): AsyncGenerator<Buffer> {
        let count = 0;
        for (const piece of all) {
          if (decodePiece(piece).offset < from) continue;
          if (count++ === sent.most) throw new ConnectionLost('peer', 'cut');
          const payload = packed ? await packPiece(piece) : piece;
          sent.bytes += payload.length;
          yield payload;
        }
      };
      return {
        [Symbol.asyncIterator]: send,
        trailer: encodeFetchTrailer({ size, checksum }),
      };
    };
    return { size, sent, fetch };
  }

  const whole = (size: number): Range[] => [{ offset: 0, length: size }];

  it('are cut into the same pieces wherever the holes are', () => {
    const bytes = noise(40 * KIB, 3);
    const data: [number, Buffer][] = [
      [0, bytes],
      [700 * KIB + 17, bytes],
      [3 * MIB, bytes.subarray(0, 5)],
    ];
    const size = 4 * MIB + 3;
    const sparse = make('sparse', size, data);
    const dense = make('dense', size, [[0, Buffer.alloc(size)], ...data]);
    const found = pieces(sparse, whole(size));
    assert.deepEqual(pieces(dense, whole(size)), found);
    const again = Buffer.alloc(size);
    for (const piece of found) decodePiece(piece).data.copy(again, decodePiece(piece).offset);
    assert.ok(again.equals(readFileSync(sparse)));
    const total = found.reduce((sum, { length }) => sum + length, 0);
    assert.ok(total < 100 * KIB, `${total} bytes for a sparse file`);
    assert.deepEqual(pieces(make('hole', size, []), whole(size)), []);
    assert.deepEqual(pieces(make('none', 0, []), whole(0)), []);
  });

  it('of parts of a file are of those parts alone', () => {
    const bytes = noise(2 * MIB, 5);
    const path = make('file', bytes.length, [[0, bytes]]);
    const ranges = [
      { offset: 7, length: 10 },
      { offset: WINDOW_BYTES - 3, length: WINDOW_BYTES + 9 },
    ];
    const found = pieces(path, ranges).map((piece) => decodePiece(piece));
    assert.deepEqual(
      found.map(({ offset, data }) => [offset, data.length]),
      [
        [7, 10],
        [WINDOW_BYTES - 3, 3],
        [WINDOW_BYTES, WINDOW_BYTES],
        [2 * WINDOW_BYTES, 6],
      ],
    );
    for (const { offset, data } of found) {
      assert.ok(data.equals(bytes.subarray(offset, offset + data.length)));
    }
    assert.throws(() => pieces(path, whole(3 * MIB)), FileTooShort);
  });

  for (const packed of [false, true]) {
    it(`go on where they stopped${packed ? ', compressed' : ''}`, async () => {
      const bytes = noise(3 * MIB, 9);
      bytes.fill('x', MIB, 2 * MIB);
      const path = make('file', 5 * MIB, [[100, bytes]]);
      const { size, sent, fetch } = sender(path, whole(5 * MIB), packed);
      const wanted = { path: at('staged'), size, ranges: whole(size), fetch };
      let attempts = 0;
      for (; ; attempts++) {
        sent.most = attempts < 3 ? 4 : Infinity;
        try {
          await (await stageContents(wanted)).close();
          break;
        } catch (error) {
          assert.ok(error instanceof ConnectionLost);
        }
      }
      assert.equal(attempts, 3);
      assert.ok(readFileSync(at('staged')).equals(readFileSync(path)));
      const atMost = (packed ? 2 * MIB + 60 * KIB : bytes.length) + 3 * WINDOW_BYTES + KIB;
      assert.ok(sent.bytes < atMost, `${sent.bytes} bytes were sent`);
      const { blocks } = statSync(at('staged'));
      assert.ok(blocks * 512 < 3.2 * MIB, 'holes are kept');
    });
  }

  it('are refused where what was staged before is not what was sent', async () => {
    const path = make('file', 2 * MIB, [[0, noise(2 * MIB, 1)]]);
    const { size, sent, fetch } = sender(path, whole(2 * MIB));
    const wanted = { path: at('staged'), size, ranges: whole(size), fetch };
    sent.most = 4;
    await assert.rejects(stageContents(wanted), ConnectionLost);
    const fd = openSync(at('staged'), 'r+');
    writeSync(fd, 'damage', WINDOW_BYTES + 5);
    closeSync(fd);
    sent.most = Infinity;
    await assert.rejects(stageContents(wanted), ProtocolError);
    await (await stageContents(wanted)).close();
    assert.ok(readFileSync(at('staged')).equals(readFileSync(path)), 'and fetched anew');
  });

  it('are refused where a disk takes a part of a piece, and no more', async () => {
    const path = make('file', 100 * KIB, [[0, noise(100 * KIB, 1)]]);
    const { size, fetch } = sender(path, whole(100 * KIB));
    const disk = at('disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      const wanted = { path: join(disk, 'staged'), size, ranges: whole(size), fetch };
      await assert.rejects(stageContents(wanted), { code: 'ENOSPC' });
      assert.deepEqual(readdirSync(disk), []);
    } finally {
      // It may be open where the test fails.
      execFileSync('umount', ['--lazy', disk]);
    }
  });

  it('a piece is told from what is none', async () => {
    const piece = Buffer.from('........data');
    putPieceHead(piece, 2 ** 52 + 7, false);
    assert.deepEqual(decodePiece(piece), {
      ...{ offset: 2 ** 52 + 7, packed: false, data: Buffer.from('data') },
    });
    assert.throws(() => decodePiece(Buffer.alloc(8)), ProtocolError);
    piece[7] = 2;
    assert.throws(() => decodePiece(piece), ProtocolError);
    piece[7] = 1;
    await assert.rejects(unpackPiece(decodePiece(piece)), ProtocolError);
  });

  it('cannot be blown up by who compresses them', async () => {
    const bomb = Buffer.concat([Buffer.alloc(8), Buffer.alloc(8 * MIB)]);
    const packed = await packPiece(bomb);
    assert.ok(packed.length < 100 * KIB);
    await assert.rejects(unpackPiece(decodePiece(packed)), ProtocolError);
  });
});
