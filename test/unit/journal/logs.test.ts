import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import {
  formatLogs,
  hasDataJournalFlag,
  KmlReader,
  newReplicaId,
  openLogs,
  readFilesetFile,
} from '../../../src/core/journal/index.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { REPLICA_ID_MAX } from '../../../src/core/model/ids.js';
import { E } from '../../../src/core/system/errno.js';
import { FaultyDisk, headOf, mkdirOf, Scratch } from './support.js';

const failsWith = (code: string) => (error: unknown) =>
  error instanceof IzoError && error.code === code;

describe('logs of a fileset', () => {
  let scratch: Scratch;
  let root: number;
  let meta: string;
  beforeEach(() => {
    scratch = new Scratch();
    root = scratch.directory;
    meta = `${scratch.path}/.intermezzo/shared`;
  });
  afterEach(() => {
    scratch.done();
  });

  it('are made, opened and found again', () => {
    const identity = formatLogs(root, 'shared');
    assert.equal(identity.fileset, 'shared');
    for (const name of ['fileset', 'kml', 'lml', 'last_rcvd', 'stage', 'conflicts']) {
      assert.ok(existsSync(`${meta}/${name}`), name);
    }
    assert.equal(statSync(meta).mode & 0o777, 0o700);
    const logs = openLogs(root, 'shared');
    assert.deepEqual(logs.identity, identity);
    assert.equal(logs.replica, logs.kml.end.log);
    assert.equal(logs.wasReset, false);
    logs.kml.append(headOf(1), mkdirOf('d'));
    logs.lastRcvd.setExpected(9, 2, 3);
    const reader = KmlReader.openFileset(root, 'shared');
    assert.deepEqual(reader.positionAt(1), logs.kml.end);
    reader.close();
    assert.equal(logs.kml.release(), 0);
    logs.close();
    assert.deepEqual(formatLogs(root, 'shared'), identity);
    const again = openLogs(root, 'shared');
    assert.equal(again.kml.next, 2);
    assert.equal(again.lastRcvd.get(9)?.expected, 2);
    again.close();
  });

  it('say what to run where there are none', () => {
    assert.throws(
      () => openLogs(root, 'shared'),
      (error) =>
        failsWith('not-formatted')(error) &&
        (error as IzoError).remedy === 'izo mkizofs -v FSET DEVICE',
    );
    mkdirSync(meta, { recursive: true });
    assert.throws(() => openLogs(root, 'shared'), failsWith('not-formatted'));
    assert.throws(() => openLogs(root, '../etc'), failsWith('fileset-name'));
  });

  it('may be made by hand, as the HOWTO of 2001 has it', () => {
    mkdirSync(meta, { recursive: true });
    scratch.write('.intermezzo/shared/kml', '');
    scratch.write('.intermezzo/shared/last_rcvd', '');
    formatLogs(root, 'shared');
    const logs = openLogs(root, 'shared');
    assert.equal(logs.kml.next, 1);
    logs.close();
  });

  it('may be emptied by hand: then the replica is a new one', () => {
    const { replica } = formatLogs(root, 'shared');
    const before = openLogs(root, 'shared');
    before.kml.append(headOf(1), mkdirOf('d'));
    before.lastRcvd.setExpected(9, 5, 3);
    before.lastRcvd.setAcknowledged(9, 1);
    before.close();
    truncateSync(`${meta}/kml`, 0);
    const after = openLogs(root, 'shared');
    assert.equal(after.wasReset, true);
    assert.notEqual(after.replica, replica);
    assert.equal(after.kml.next, 1);
    assert.deepEqual(after.lastRcvd.get(9), {
      peer: 9,
      expected: 5,
      checksum: 3,
      nextToSend: 1,
      epoch: 0,
      stretch: { from: 0, to: 0 },
    });
    after.close();
    const again = openLogs(root, 'shared');
    assert.deepEqual([again.wasReset, again.replica], [false, after.replica]);
    again.close();
  });

  it('are reset again where a crash has interrupted that', () => {
    formatLogs(root, 'shared');
    for (const operation of ['fileset.write', 'fileset.sync', 'kml.header'] as const) {
      const disk = new FaultyDisk();
      truncateSync(`${meta}/kml`, 0);
      disk.failing.set(operation, { errno: E.EIO });
      assert.throws(() => openLogs(root, 'shared', disk), /EIO/);
      const logs = openLogs(root, 'shared');
      assert.equal(logs.wasReset, true, operation);
      assert.equal(logs.kml.end.log, readFilesetFile(logs.directory).replica);
      logs.close();
    }
  });

  it('must belong together', () => {
    formatLogs(root, 'shared');
    const kml = readFileSync(`${meta}/kml`);
    truncateSync(`${meta}/kml`, 0);
    openLogs(root, 'shared').close();
    scratch.write('.intermezzo/shared/kml', kml);
    assert.throws(() => openLogs(root, 'shared'), failsWith('journal-mismatch'));
  });

  it('tell their name again when the file that has it is lost', () => {
    const { replica } = formatLogs(root, 'shared');
    rmSync(`${meta}/fileset`);
    assert.equal(formatLogs(root, 'shared').replica, replica);
  });

  it('are refused with a fileset file that is not one', () => {
    formatLogs(root, 'shared');
    const good = JSON.parse(readFileSync(`${meta}/fileset`, 'utf8')) as object;
    const bad = [
      '',
      'null',
      '[]',
      ...[{ format: 2 }, { replica: 'x' }, { replica: '000000000000' }, { fileset: 'a/b' }].map(
        (change) => JSON.stringify({ ...good, ...change }),
      ),
      JSON.stringify({ ...good, created: 'yesterday' }),
    ];
    for (const text of bad) {
      scratch.write('.intermezzo/shared/fileset', text);
      assert.throws(() => openLogs(root, 'shared'), failsWith('fileset-file'), text);
    }
    scratch.write('.intermezzo/shared/fileset', JSON.stringify({ ...good, fileset: 'other' }));
    assert.throws(() => openLogs(root, 'shared'), failsWith('journal-mismatch'));
  });

  it('have ids at random, in 48 bits', () => {
    const ids = new Set(Array.from({ length: 1000 }, newReplicaId));
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.ok(Number.isInteger(id) && id > 0 && id <= REPLICA_ID_MAX);
  });

  it('know that a file on another file system has no data journaling', () => {
    assert.equal(hasDataJournalFlag(root), false);
    assert.equal(hasDataJournalFlag(-1), false);
  });
});
