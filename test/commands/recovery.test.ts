import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { decodeIdentity, encodeIdentity, IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { NO_STAMP } from '../../src/core/model/ids.js';
import { carryOut } from '../../src/core/recovery/carry-out.js';
import { planRecovery } from '../../src/core/recovery/plan.js';
import { survey } from '../../src/core/recovery/survey.js';
import { Memory } from '../../src/core/system/native.js';
import { getxattrAt, setxattrAt } from '../../src/core/system/xattrs.js';
import { checkLower } from '../support/check-cache.js';
import { FILESET, type MountedHost } from '../support/mounted-host.js';
import { SoundCache, type RecoveryBench } from '../support/recovery-bench.js';
import { izo, type Finished } from './run.js';
import { NO_EPOCH, NO_STRETCH } from '../../src/core/model/position.js';

const flip =
  (at: number) =>
  (bytes: Buffer): Buffer => {
    const place = at < 0 ? bytes.length + at : at;
    bytes.writeUInt8(bytes.readUInt8(place) ^ 0xff, place);
    return bytes;
  };

/** Where the second record begins: the first, `MKDIR d`, has 120 bytes. */
const SECOND = 184;

describe('izo recovery', function () {
  this.timeout(60_000);
  let sound: SoundCache;
  let mounted: MountedHost;
  let logs: Record<'kml' | 'fileset', string>;

  const bench = (work: (bench: RecoveryBench) => void): Promise<void> => sound.bench(work);

  before(async () => {
    sound = await SoundCache.make();
    mounted = sound.mounted;
    await bench((it) => {
      const text = (name: string): string => readFileSync(it.file(name), 'latin1');
      logs = { kml: text('kml'), fileset: text('fileset') };
    });
  });
  after(() => sound.remove());

  it('finds nothing in a sound cache', () =>
    bench((it) => {
      const { findings, steps, found } = it.plan();
      assert.deepEqual([findings, steps, found.tree.objects], [[], [], 4]);
    }));

  it('damage in the middle of the kml: journals the tree anew, and keeps what was there', () =>
    bench((it) => {
      it.edit('kml', flip(SECOND + 20));
      const broken = readFileSync(it.file('kml'));
      const kept = it.repair('rebuild', /kml: damaged at byte 184: record 2, wrong checksum/);
      assert.ok(readFileSync(join(kept, 'kml')).equals(broken));
      const identities = readFileSync(join(kept, 'identities.json'), 'utf8');
      assert.equal(identities.trim().split('\n').length, 5);
      assert.match(identities, /"path":"d\/f","identity":"01[0-9a-f]{72}"/);
    }));

  for (const at of [-20, 20]) {
    it(`damage that mount refuses, at byte ${at} of the kml`, () =>
      bench((it) => {
        it.edit('kml', flip(at));
        it.refuses(/damaged/);
        it.repair('rebuild', /^kml: /);
      }));
  }

  it('damage of which the server has all: a replicator goes on behind it', () =>
    bench((it) => {
      it.edit('kml', flip(SECOND + 20));
      const found = survey(it.lower.root, it.lower.meta);
      const has = (nextToSend: number) => ({
        ...found,
        lastRcvd: {
          ...found.lastRcvd,
          peers: [
            { peer: 7, expected: 1, checksum: 0, nextToSend, stretch: NO_STRETCH, epoch: NO_EPOCH },
          ],
        },
      });
      assert.deepEqual(planRecovery(has(2), 'repair', 'client').steps[0]?.do, 'rebuild');
      assert.deepEqual(planRecovery(has(3), 'repair', 'server').steps[0]?.do, 'rebuild');
      const { steps } = planRecovery(has(3), 'repair', 'client');
      assert.deepEqual(steps, [{ do: 'skip', firstRecno: 3 }]);
      carryOut(it.lower, found, steps, new Date());
      it.mount();
      const { kml } = survey(it.lower.root, it.lower.meta);
      assert.ok('scan' in kml);
      assert.deepEqual([kml.scan.kind, kml.records, kml.last], ['clean', 5, 7]);
    }));

  it('a kml that lost its last records: the tree tells, and is journaled anew', () =>
    bench((it) => {
      it.edit('kml', (bytes) => bytes.subarray(0, SECOND));
      it.repair('rebuild', /it ends with record 1, the tree has updates up to 7/);
    }));

  it('an append that was cut short is cut off, and nothing else', () =>
    bench((it) => {
      it.edit('kml', (bytes) => Buffer.concat([bytes, Buffer.from('half a record')]));
      it.repair('cut', /13 bytes at the end are no whole record/);
      assert.equal(readFileSync(it.file('kml'), 'latin1').slice(64), logs.kml.slice(64));
    }));

  it('a kml that is empty or gone', () =>
    bench((it) => {
      it.edit('kml', () => Buffer.alloc(0));
      it.repair('rebuild', /kml is empty/);
      rmSync(it.file('kml'));
      it.repair('rebuild', /kml is missing/);
    }));

  it('a fileset file that is damaged or gone: the kml knows', () =>
    bench((it) => {
      it.edit('fileset', (bytes) => bytes.subarray(0, 20));
      it.refuses(/not JSON/);
      it.repair('name', /not JSON/);
      rmSync(it.file('fileset'));
      it.repair('name', /fileset/);
      const id = (text: string): unknown => (JSON.parse(text) as { replica: unknown }).replica;
      assert.equal(id(readFileSync(it.file('fileset'), 'utf8')), id(logs.fileset));
    }));

  it('what stands where a log should is taken away, and never followed', () =>
    bench((it) => {
      const elsewhere = join(mounted.root, 'elsewhere');
      writeFileSync(elsewhere, 'of somebody else');
      const replace = (name: string, make: (path: string) => void): void => {
        rmSync(it.file(name), { recursive: true });
        make(it.file(name));
        it.refuses(/ is not a (file|directory), as it has to be/);
      };
      const link = (path: string): void => {
        symlinkSync(elsewhere, path);
      };
      replace('lml', link);
      replace('epochs', mkdirSync);
      replace('stage', link);
      const kept = it.repair('aside', /lml: .* not .* by izo; epochs: .*; stage: /);
      assert.deepEqual(readdirSync(kept).sort(), [
        'epochs',
        'fileset',
        'kml',
        'last_rcvd',
        'lml',
        'stage',
      ]);
      replace('kml', link);
      replace('last_rcvd', mkdirSync);
      it.repair('aside rebuild', /kml: what stands there .*kml is missing/);
      replace('fileset', link);
      it.repair('aside name', /fileset: what stands there/);
      assert.equal(readFileSync(elsewhere, 'utf8'), 'of somebody else');
    }));

  it('directories that are gone are made again', () =>
    bench((it) => {
      for (const name of ['stage', 'conflicts']) rmSync(it.file(name), { recursive: true });
      it.repair('', /^$/);
    }));

  it('a fileset file of another cache', () =>
    bench((it) => {
      const other = logs.fileset.replace(/"replica": "\w{12}"/, '"replica": "00000000beef"');
      it.edit('fileset', () => Buffer.from(other));
      it.refuses(/do not belong together/);
      it.repair('rebuild', /put back from elsewhere/);
    }));

  it('a damaged note of the lml: the tree tells what was being written', () =>
    bench((it) => {
      const { root } = it.lower;
      const memory = new Memory(64);
      const length = getxattrAt(root, 'h', IDENTITY_XATTR, memory.address, memory.length);
      const identity = decodeIdentity(memory.buffer, length);
      assert.ok(identity !== undefined);
      // As presto leaves it between the first write and the CLOSE.
      const open = encodeIdentity(Buffer.alloc(64), { ...identity, content: NO_STAMP });
      assert.equal(setxattrAt(root, 'h', IDENTITY_XATTR, open), 0);
      writeFileSync(join(it.lower.path, 'h'), 'THREE');
      it.edit('lml', (bytes) => Buffer.concat([bytes.subarray(0, 512), Buffer.alloc(512, 1)]));
      it.repair('lml', /1 notes cannot be read/, 'repair', 'THREE');
    }));

  it('the headers of lml and last_rcvd', () =>
    bench((it) => {
      it.edit('lml', flip(9));
      it.edit('last_rcvd', flip(20));
      it.refuses(/damaged/);
      it.repair('lml positions', /lml: .*; last_rcvd: its header cannot be read/);
    }));

  it('--reset makes a sound cache a new replica, --refetch an empty one', () =>
    bench((it) => {
      it.repair('rebuild', /^$/, 'reset');
      assert.notEqual(readFileSync(it.file('fileset'), 'latin1'), logs.fileset);
      const { found, steps } = it.plan('refetch');
      assert.deepEqual(
        steps.map((step) => step.do),
        ['set-aside', 'rebuild'],
      );
      const kept = carryOut(it.lower, found, steps, new Date());
      it.mount();
      assert.deepEqual(it.plan().found.tree.objects, 0);
      assert.equal(readFileSync(join(it.lower.path, kept, 'tree/d/f'), 'utf8'), 'one');
      checkLower(it.lower.path, FILESET);
    }));

  it('one that was interrupted is not mounted, and another finishes it', () =>
    bench((it) => {
      it.edit('kml', () => Buffer.from('izo recovery was interrupted here\n'));
      it.refuses(/damaged/);
      it.repair('rebuild', /header/);
    }));

  it('changes nothing without --do, and says so; not what is mounted; refetches from nowhere', async () => {
    const recovery = (...args: string[]): Promise<Finished> =>
      izo(['recovery', mounted.image, ...args], { env: mounted.host.environment });
    await bench((it) => it.edit('kml', flip(SECOND + 20)));
    const before = readFileSync(mounted.image);
    const { code, stdout } = await recovery();
    assert.equal(code, 3);
    assert.match(stdout, /FOUND {2}kml: damaged.*\nPLAN {3}will begin the logs anew/);
    assert.match(stdout, /nothing was changed; to do it, add --do/);
    assert.equal((await recovery('--refetch', '--do')).code, 6);
    await bench((it) => assert.equal(existsSync(it.file('kept')), false));
    assert.equal(before.length, sound.bytes.length);
    await mounted.mount();
    const busy = await recovery('--reset', '--do');
    await mounted.unmount();
    assert.equal(busy.code, 5, busy.stderr);
    const done = JSON.parse((await recovery('--reset', '--do', '--json')).stdout) as object;
    assert.deepEqual(
      { ...done, kept: '', consequences: [] },
      {
        fileset: FILESET,
        device: mounted.image,
        findings: [],
        steps: ['begin the logs anew, as a new replica; the next mount journals 4 objects'],
        consequences: [],
        done: true,
        kept: '',
      },
    );
  });
});
