import assert from 'node:assert/strict';
import { Lml, type LmlEntry } from '../../../src/core/journal/index.js';
import { LML_SLOT_BYTES } from '../../../src/core/journal/lml.js';
import { E } from '../../../src/core/system/errno.js';
import { FaultyDisk, LOG_ID, Scratch } from './support.js';

const STATES = ['writing', 'installing', 'mapped'] as const;

function entry(number: number, path = `file${number}`): LmlEntry {
  return {
    state: STATES[number % STATES.length] ?? 'writing',
    object: { replica: LOG_ID, number },
    stamp: { replica: LOG_ID, recno: number },
    handle: { ino: 2 ** 40 + number, generation: 2 ** 32 - number },
    path,
    pathIsCut: false,
  };
}

describe('Lml', () => {
  let scratch: Scratch;
  let fd: number;
  beforeEach(() => {
    scratch = new Scratch();
    fd = scratch.open('lml', 'w+');
    Lml.format(fd, LOG_ID);
  });
  afterEach(() => {
    scratch.done();
  });

  it('has as leftovers what was noted and not cleared', () => {
    const lml = Lml.open(fd);
    const slots = [1, 2, 3, 4].map((number) => lml.note(entry(number)));
    assert.deepEqual(slots, [0, 1, 2, 3]);
    lml.clear(1);
    lml.clear(3);
    const expected = [
      { slot: 0, entry: entry(1) },
      { slot: 2, entry: entry(3) },
    ];
    assert.deepEqual(lml.leftovers(), expected);
    assert.deepEqual(Lml.open(fd).leftovers(), expected);
  });

  it('uses slots again, before and after reopening', () => {
    const lml = Lml.open(fd);
    for (let i = 0; i < 1000; i++) lml.clear(lml.note(entry(1)));
    assert.equal(scratch.read('lml').length, 2 * LML_SLOT_BYTES);
    [1, 2, 3].forEach((number) => lml.note(entry(number)));
    lml.clear(1);
    const again = Lml.open(fd);
    assert.equal(again.note(entry(4)), 1);
    assert.equal(again.note(entry(5)), 3);
  });

  it('keeps the beginning of a path that is too long, and says so', () => {
    const path = 'd/'.repeat(2000) + 'f';
    Lml.open(fd).note(entry(1, path));
    const [found] = Lml.open(fd).leftovers();
    assert.equal(found?.entry.path, path.slice(0, 460));
    assert.equal(found.entry.pathIsCut, true);
    assert.deepEqual(found.entry.handle, entry(1).handle);
  });

  it('keeps the notes when one cannot be written or cleared', () => {
    const disk = new FaultyDisk();
    const lml = Lml.open(fd, disk);
    const slot = lml.note(entry(1));
    disk.failing.set('lml.note', { errno: E.ENOSPC });
    assert.equal(lml.note(entry(2)), -E.ENOSPC);
    disk.failing.set('lml.note', { after: 100 });
    assert.equal(lml.note(entry(2)), -E.ENOSPC);
    disk.failing.set('lml.clear', { errno: E.EIO });
    assert.equal(lml.clear(slot), -E.EIO);
    assert.deepEqual(lml.leftovers(), [{ slot, entry: entry(1) }]);
    disk.failing.clear();
    assert.equal(lml.clear(slot), 0);
    assert.throws(() => lml.clear(slot), /free already/);
    assert.equal(lml.note(entry(3)), 0);
  });

  it('reports damaged slots and leaves them alone until they are cleared', () => {
    const lml = Lml.open(fd);
    [1, 2].forEach((number) => lml.note(entry(number)));
    const bytes = scratch.read('lml');
    bytes[LML_SLOT_BYTES + 60] = 0xff;
    scratch.write('lml', bytes.subarray(0, -1));
    const found = Lml.open(fd);
    assert.deepEqual(found.damaged.toSorted(), [0, 1]);
    assert.deepEqual(found.leftovers(), []);
    assert.equal(found.note(entry(3)), 2);
    assert.equal(found.clear(0), 0);
    assert.deepEqual(found.damaged, [1]);
    assert.equal(found.note(entry(4)), 0);
  });
});
