import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataExtents } from '../../../src/core/lento/data-extents.js';
import { decodePiece, putPieceOffset } from '../../../src/core/wire/messages.js';
import { ProtocolError } from '../../../src/core/wire/errors.js';

const MIB = 2 ** 20;

describe('contents with holes', () => {
  let directory: string;
  let fd: number;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'izo-extents-'));
    fd = openSync(join(directory, 'file'), 'w+');
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  it('are what is between the holes', () => {
    const data = Buffer.alloc(MIB, 1);
    ftruncateSync(fd, 1024 * MIB);
    for (const at of [2, 512]) writeSync(fd, data, 0, MIB, at * MIB);
    assert.deepEqual(
      [...dataExtents(fd, 1024 * MIB)],
      [
        { offset: 2 * MIB, end: 3 * MIB },
        { offset: 512 * MIB, end: 513 * MIB },
      ],
    );
    assert.deepEqual([...dataExtents(fd, 2 * MIB + 5)], [{ offset: 2 * MIB, end: 2 * MIB + 5 }]);
  });

  it('are nothing of a file without data', () => {
    assert.deepEqual([...dataExtents(fd, 0)], []);
    ftruncateSync(fd, MIB);
    assert.deepEqual([...dataExtents(fd, MIB)], []);
  });

  it('come in pieces that say where they belong', () => {
    const payload = Buffer.from('........data');
    putPieceOffset(payload, 2 ** 40 + 7);
    assert.deepEqual(decodePiece(payload), { offset: 2 ** 40 + 7, data: Buffer.from('data') });
    assert.throws(() => decodePiece(Buffer.alloc(8)), ProtocolError);
  });
});
