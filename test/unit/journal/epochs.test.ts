import assert from 'node:assert/strict';
import { ftruncateSync } from 'node:fs';
import { Epochs, readEpochs } from '../../../src/core/journal/epochs.js';
import { realDisk } from '../../../src/core/journal/index.js';
import type { Epoch } from '../../../src/core/model/position.js';
import { E } from '../../../src/core/system/errno.js';
import { FaultyDisk, LOG_ID, Scratch } from './support.js';

const SLOT = (serial: number): number => 64 + 40 * (serial % 1000);

describe('Epochs', () => {
  let scratch: Scratch;
  let fd: number;
  beforeEach(() => {
    scratch = new Scratch();
    fd = scratch.open('epochs', 'w+');
  });
  afterEach(() => {
    scratch.done();
  });

  /** What fsync(2) does is of no matter here. */
  const disk = { ...realDisk, fsync: () => 0 };
  const begin = (from: number, after = from - 1): Epochs =>
    Epochs.begin(fd, { from, after }, LOG_ID, disk);
  const found = (): Epoch[] => readEpochs(scratch.directory, LOG_ID);
  const froms = (): number[] => found().map(({ from }) => from);

  it('are kept in order, each with an id of its own', () => {
    begin(1);
    begin(1);
    begin(2 ** 50, 7).beganAfter(6);
    assert.deepEqual(froms(), [1, 1, 2 ** 50]);
    assert.equal(found()[2]?.after, 6);
    assert.equal(new Set(found().map(({ id }) => id)).size, 3);
  });

  it('are the last thousand', () => {
    for (let from = 1; from <= 1005; from++) begin(from);
    assert.deepEqual(
      froms(),
      [...Array(1000).keys()].map((i) => i + 6),
    );
  });

  it('begin where one that cannot be read ends: nobody knows how long those before lasted', () => {
    for (const from of [1, 5, 9, 12]) begin(from);
    const bytes = scratch.read('epochs');
    bytes[SLOT(2) + 16] = 77;
    scratch.write('epochs', bytes);
    assert.deepEqual(froms(), [9, 12]);
    begin(20);
    assert.deepEqual(froms(), [9, 12, 20]);
  });

  it('are none of another log, nor of a file that was cut or cannot be read', () => {
    begin(1);
    assert.deepEqual(readEpochs(scratch.directory, LOG_ID + 1), []);
    Epochs.begin(fd, { from: 3, after: 2 }, LOG_ID + 1);
    assert.deepEqual(froms(), []);
    begin(8);
    assert.deepEqual(froms(), [8]);
    ftruncateSync(fd, 100);
    assert.deepEqual(froms(), []);
    begin(9);
    const bytes = scratch.read('epochs');
    bytes[3] = 0;
    scratch.write('epochs', bytes);
    assert.deepEqual(froms(), []);
    begin(10);
    assert.deepEqual(froms(), [10]);
  });

  it('do not begin unnoticed where the disk fails', () => {
    begin(1);
    for (const operation of ['epochs.begin', 'epochs.sync'] as const) {
      const faulty = new FaultyDisk();
      faulty.failing.set(operation, { errno: E.EIO });
      assert.throws(() => Epochs.begin(fd, { from: 2, after: 1 }, LOG_ID, faulty), /EIO/);
    }
    begin(3);
    assert.equal(froms().at(-1), 3);
  });
});
