import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  formatLogs,
  Kml,
  KmlReader,
  LastRcvd,
  Lml,
  openLogs,
  tornName,
} from '../../../src/core/journal/index.js';
import { HEADER_BYTES } from '../../../src/core/journal/log-file.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { headOf, LOG_ID, mkdirOf, Scratch } from './support.js';

const FILESET = 'shared';
const META = join('.intermezzo', FILESET);
const RECORDS = 5;

/** What may happen to the bytes of a file: some are flipped, or zeroed, or its end is missing. */
type Harm = (bytes: Buffer) => Buffer;

const place = fc.nat({ max: 2 ** 20 });
const anyHarm: fc.Arbitrary<Harm> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, bits]): Harm => (bytes) => {
    const harmed = Buffer.from(bytes);
    const index = at % bytes.length;
    harmed[index] = (harmed[index] ?? 0) ^ bits;
    return harmed;
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 700 })).map(([at, length]): Harm => (bytes) => {
    const from = at % bytes.length;
    return Buffer.from(bytes).fill(0, from, Math.min(bytes.length, from + length));
  }),
  place.map(
    (at): Harm =>
      (bytes) =>
        bytes.subarray(0, at % bytes.length),
  ),
);

/** @returns what `act` does, or the expected failure that it ends with; anything else is a bug */
function attempt<T>(act: () => T): T | IzoError {
  try {
    return act();
  } catch (error) {
    if (error instanceof IzoError) return error;
    throw error;
  }
}

const isRefusal = (error: IzoError): boolean =>
  ['journal-damaged', 'journal-version', 'journal-mismatch', 'fileset-file'].includes(error.code);

describe('damage to the files of a fileset', () => {
  let scratch: Scratch;
  let root: number;
  const original = new Map<string, Buffer>();
  const file = (name: string): string => join(META, name);
  /** Offsets of the records, and of the end. */
  const starts: number[] = [];

  before(() => {
    scratch = new Scratch();
    mkdirSync(join(scratch.path, '.intermezzo'));
    root = openSync(scratch.path, 'r');
    formatLogs(root, FILESET);
    const logs = openLogs(root, FILESET);
    for (let n = 1; n <= RECORDS; n++) {
      starts.push(logs.kml.size);
      logs.kml.append(headOf(n), mkdirOf(`directory-${n}`.repeat(n)));
      const handle = { ino: 100 + n, generation: n };
      const object = { replica: LOG_ID, number: n };
      const stamp = { replica: LOG_ID, recno: n };
      logs.lml.note({ state: 'writing', object, stamp, handle, path: `file-${n}` });
      logs.lastRcvd.setExpected(LOG_ID + n, n, n);
    }
    starts.push(logs.kml.size);
    logs.close();
    for (const name of ['kml', 'lml', 'last_rcvd', 'fileset']) {
      original.set(name, scratch.read(file(name)));
    }
  });

  after(() => {
    closeSync(root);
    scratch.done();
  });

  function harmed(name: string, harm: Harm): Buffer {
    // An emptied KML makes this another replica: every time all files are as they were, but for this one.
    for (const [each, whole] of original) scratch.write(file(each), whole);
    const bytes = harm(original.get(name) ?? Buffer.alloc(0));
    scratch.write(file(name), bytes);
    return bytes;
  }

  /** The records that a reader gives out, until it refuses. */
  function readAll(): { names: string[]; refused: IzoError | undefined } {
    const names: string[] = [];
    const reader = attempt(() => KmlReader.openFileset(root, FILESET));
    if (reader instanceof IzoError) return { names, refused: reader };
    try {
      const end = reader.end();
      for (let next = 1; next <= end.tail.recno; next++) {
        const limits = { records: 1, bytes: 1 };
        const read = attempt(() => reader.read(next, limits, end.tail.recno));
        if (read instanceof IzoError) return { names, refused: read };
        for (const { record } of read.records) {
          if (record.body.op === 2) names.push(record.body.path);
        }
      }
      return { names, refused: undefined };
    } finally {
      reader.close();
    }
  }

  const expectedNames = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `directory-${i + 1}`.repeat(i + 1));

  it('kml: no record is ever another one, and what was not cut short at its end is refused and kept', () => {
    fc.assert(
      fc.property(anyHarm, (harm) => {
        const bytes = harmed('kml', harm);
        const whole = original.get('kml') ?? Buffer.alloc(0);
        const { names, refused } = readAll();
        assert.deepEqual(names, expectedNames(names.length));
        if (refused !== undefined) assert.ok(isRefusal(refused), refused.code);
        const isPrefix = whole.subarray(0, bytes.length).equals(bytes);
        const opened = attempt(() => openLogs(root, FILESET));
        if (opened instanceof IzoError) {
          assert.ok(isRefusal(opened), opened.code);
          assert.equal(opened.place?.file ?? META, META);
          assert.ok(scratch.read(file('kml')).equals(bytes), 'it was left as it was');
          assert.ok(!isPrefix || bytes.length < HEADER_BYTES, 'only cut short');
          return;
        }
        const { found, end } = opened.kml;
        opened.close();
        if (bytes.length === 0) return;
        if (isPrefix) {
          assert.equal(end.recno, starts.filter((start) => start <= bytes.length).length - 1);
        }
        if (found.kind !== 'torn-tail') return;
        const kept = scratch.read(file(tornName(found.tail.offset)));
        assert.ok(kept.equals(bytes.subarray(found.tail.offset)), 'what was cut off is kept');
      }),
      { numRuns: 500 },
    );
  });

  it('kml: a bit that flips in a record that is there never costs the record', () => {
    for (let at = HEADER_BYTES; at < (starts.at(-1) ?? 0); at++) {
      harmed('kml', (bytes) => {
        const bad = Buffer.from(bytes);
        bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
        return bad;
      });
      const number = starts.findIndex((start) => start > at);
      const said = new RegExp(`^kml is damaged at byte ${starts[number - 1]}: record ${number}, `);
      const reader = KmlReader.openFileset(root, FILESET);
      const scan = reader.scan();
      reader.close();
      assert.equal(scan.kind, 'damaged', `byte ${at}`);
      // Mounting looks at the end, and leaves what is further back to who reads it.
      const opened = attempt(() => openLogs(root, FILESET));
      if (opened instanceof IzoError) {
        assert.match(opened.message, said);
        assert.equal(opened.remedy, 'izo recovery');
      } else {
        assert.equal(opened.kml.end.recno, RECORDS);
        opened.close();
        assert.ok(number < RECORDS, `byte ${at}`);
      }
    }
  });

  it('lml: a note is what it was, or known to be damaged', () => {
    fc.assert(
      fc.property(anyHarm, (harm) => {
        harmed('lml', harm);
        const fd = openSync(join(scratch.path, file('lml')), 'r');
        const lml = attempt(() => Lml.open(fd));
        closeSync(fd);
        if (lml instanceof IzoError) {
          assert.ok(isRefusal(lml), lml.code);
          return;
        }
        for (const { slot, entry } of lml.leftovers()) {
          assert.equal(entry.path, `file-${slot + 1}`);
          assert.equal(entry.handle.ino, 101 + slot);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('last_rcvd: what is known of a peer is right, or not known', () => {
    fc.assert(
      fc.property(anyHarm, (harm) => {
        const bytes = harmed('last_rcvd', harm);
        if (bytes.length === 0) return;
        const fd = openSync(join(scratch.path, file('last_rcvd')), 'r+');
        const log = Kml.open(openSync(join(scratch.path, file('kml')), 'r+'));
        const table = attempt(() => LastRcvd.open(fd, log.header.log));
        closeSync(fd);
        closeSync(log.fd);
        if (table instanceof IzoError) {
          assert.ok(isRefusal(table), table.code);
          return;
        }
        for (const { peer, expected, checksum } of table.peers()) {
          assert.deepEqual([expected, checksum], [peer - LOG_ID, peer - LOG_ID]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('fileset: what is no longer the file is refused, never taken for another replica', () => {
    const bytes = original.get('fileset') ?? Buffer.alloc(0);
    const { replica } = JSON.parse(bytes.toString()) as { replica: string };
    fc.assert(
      fc.property(anyHarm, (harm) => {
        harmed('fileset', harm);
        const opened = attempt(() => openLogs(root, FILESET));
        if (opened instanceof IzoError) assert.ok(isRefusal(opened), opened.code);
        else {
          assert.equal(opened.replica, Number.parseInt(replica, 16));
          opened.close();
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(readdirSync(join(scratch.path, META)).includes('fileset'));
  });
});
