import assert from 'node:assert/strict';
import { writeSync } from 'node:fs';
import fc from 'fast-check';
import { Kml, KmlReader, realDisk } from '../../../src/core/journal/index.js';
import { newKmlHeader, writeKmlHeader } from '../../../src/core/journal/kml-header.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { headOf, LOG_ID, mkdirOf, Scratch, upTo } from './support.js';

const ALL = { records: 1e6, bytes: 1e9 };

describe('KmlReader', () => {
  let scratch: Scratch;
  let kml: Kml;
  let reader: KmlReader;
  beforeEach(() => {
    scratch = new Scratch();
    kml = Kml.open(scratch.newKml());
    reader = new KmlReader(scratch.open('kml', 'r'));
  });
  afterEach(() => {
    scratch.done();
  });

  function fill(count: number): void {
    for (let i = 0; i < count; i++) kml.append(headOf(kml.next), mkdirOf(`d${kml.next}`));
  }

  function recnos(from: number, upto: number, limits = ALL): number[] {
    const result = reader.read(from, limits, upto);
    assert.equal(result.next, from + result.records.length);
    return result.records.map(({ record }) => record.head.recno);
  }

  const failsWith = (code: string) => (error: unknown) =>
    error instanceof IzoError && error.code === code;

  it('sees exactly what was announced', () => {
    assert.deepEqual(recnos(1, 0), []);
    fill(5);
    assert.deepEqual(recnos(1, 3), [1, 2, 3]);
    assert.deepEqual(recnos(4, 3), []);
    fill(2);
    assert.deepEqual(recnos(4, 7), [4, 5, 6, 7]);
    assert.deepEqual(recnos(2, 4), [2, 3, 4]);
  });

  it('does not remember what was taken back after it had looked', () => {
    fill(3);
    assert.deepEqual(recnos(1, 2), [1, 2]);
    kml.takeBack();
    kml.append(headOf(3), mkdirOf('another'));
    const { records } = reader.read(3, ALL, 3);
    assert.deepEqual(records[0]?.record.body, mkdirOf('another'));
  });

  it('keeps to the limits, but always gives one', () => {
    fill(10);
    assert.deepEqual(recnos(1, 10, { records: 3, bytes: 1e9 }), [1, 2, 3]);
    const length = reader.read(1, ALL, 1).records[0]?.length ?? 0;
    assert.deepEqual(recnos(4, 10, { records: 9, bytes: 2 * length }), [4, 5]);
    assert.deepEqual(recnos(6, 10, { records: 9, bytes: 1 }), [6]);
  });

  it('finds any record and any position, in any order', () => {
    const ends = [kml.end];
    for (let i = 0; i < 5000; i++) {
      fill(1);
      ends.push(kml.end);
    }
    assert.equal(reader.positionAt(5001), undefined);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 20 }), (places) => {
        const fresh = new KmlReader(scratch.open('kml', 'r'));
        for (const recno of places) {
          assert.deepEqual(fresh.positionAt(recno), ends[recno]);
          const { records } = fresh.read(recno + 1, { records: 1, bytes: 1 }, 5000);
          assert.equal(records[0]?.record.head.recno, recno === 5000 ? undefined : recno + 1);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('says so when the log is shorter than announced, was reset, or was trimmed', () => {
    fill(5);
    assert.throws(() => recnos(1, 6), failsWith('journal-damaged'));
    assert.throws(() => recnos(7, 7), failsWith('journal-damaged'));
    kml.trim(upTo(3));
    assert.throws(() => recnos(3, 5), failsWith('journal-trimmed'));
    assert.deepEqual(recnos(4, 5), [4, 5]);
    assert.equal(reader.positionAt(2), undefined);
    assert.equal(reader.positionAt(3)?.recno, 3);
    writeKmlHeader(realDisk, kml.fd, newKmlHeader(LOG_ID + 1));
    assert.throws(() => recnos(4, 5), failsWith('journal-reset'));
  });

  it('walks backwards to the beginning, ignoring a torn tail', () => {
    fill(4);
    writeSync(kml.fd, Buffer.alloc(100, 1), 0, 100, kml.size);
    const tail = reader.tail();
    assert.equal(tail.recno, 4);
    const found = [...reader.backwards()].map(({ record }) => record.head.recno);
    assert.deepEqual(found, [4, 3, 2, 1]);
    kml.trim(upTo(2));
    reader.tail();
    assert.equal([...reader.backwards(tail)].length, 2);
  });

  it('is not upset by trimming between two looks', () => {
    fill(6);
    const walk = reader.backwards();
    assert.equal(walk.next().value?.record.head.recno, 6);
    kml.trim(upTo(3));
    // What it had in its window it may still give; nothing of it is wrong.
    const rest = [...walk].map(({ record }) => record.head.recno);
    assert.deepEqual(rest, [5, 4, 3, 2, 1].slice(0, rest.length));
    assert.ok(rest.length >= 2);
    assert.throws(() => recnos(2, 6), failsWith('journal-trimmed'));
    assert.equal(reader.scan().kind, 'clean');
  });

  it('visits every record with its offset when it scans', () => {
    fill(3);
    const offsets: number[] = [];
    const scan = reader.scan((recno, offset) => offsets.push(offset) === recno);
    assert.equal(scan.kind, 'clean');
    assert.equal(offsets.length, 3);
    assert.equal(offsets[0], 64);
  });
});
