import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/core/system/processes.js';
import { Busy } from '../support/busy.js';
import { MountedHost } from '../support/mounted-host.js';

const SNAPSHOTS = 16;
const WORKERS = 2;
/** mkfs.xfs makes nothing smaller. The file is sparse. */
const XFS_BYTES = 2 ** 30;

/** Writes a file that no crash from now on may lose. */
function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w');
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
}

/**
 * What a disk holds when the power goes: the cache's image lies on an XFS, and a reflink copy of it is what had been
 * written to it at one moment.
 */
describe('the power fails while programs work', function () {
  this.slow(10_000);
  let directory: string;
  let disk: string;
  let mounted: MountedHost | undefined;
  const snapshot = (number: number): string => join(disk, `snapshot-${number}`);

  before(async function () {
    this.timeout(120_000);
    directory = mkdtempSync(join(tmpdir(), 'izo-power-'));
    disk = join(directory, 'disk');
    mkdirSync(disk);
    const image = join(directory, 'xfs');
    writeFileSync(image, '');
    truncateSync(image, XFS_BYTES);
    await run('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
    try {
      await run('mount', ['-o', 'loop', image, disk]);
    } catch (error) {
      if (/unknown filesystem/.test(String(error))) this.skip();
      throw error;
    }
    mounted = await MountedHost.make('64M', disk);
    await mounted.mount();
    await takeSnapshots(mounted);
  });

  after(async function () {
    this.timeout(60_000);
    await mounted?.remove();
    await run('umount', ['-l', disk], { okCodes: [32] });
    rmSync(directory, { recursive: true, force: true });
  });

  async function takeSnapshots(from: MountedHost): Promise<void> {
    const notes = join(directory, 'notes');
    mkdirSync(notes);
    const busy = await Busy.start(from.mountPoint, notes, 1, WORKERS);
    for (let number = 1; number <= SNAPSHOTS; number++) {
      await sleep(50 + Math.random() * 200);
      writeDurably(join(from.mountPoint, `mark-${number}`), `before ${number}`);
      await sleep(Math.random() * 100);
      await run('cp', ['--reflink=always', from.image, snapshot(number)]);
    }
    await busy.end('SIGTERM');
    assert.deepEqual(busy.differences(), []);
    await from.unmountAndCheck();
  }

  for (let number = 1; number <= SNAPSHOTS; number++) {
    it(`snapshot ${number} mounts, has what was synced, and its tree is what its log says`, async () => {
      const restarted = MountedHost.of(snapshot(number), disk);
      try {
        await restarted.mount();
        for (let mark = 1; mark <= number; mark++) {
          const text = readFileSync(join(restarted.mountPoint, `mark-${mark}`), 'utf8');
          assert.equal(text, `before ${mark}`);
        }
        assert.ok(!existsSync(join(restarted.mountPoint, `mark-${number + 1}`)));
        const model = await restarted.unmountAndCheck();
        assert.ok(model.records > 10 * number, `${model.records} records`);
      } finally {
        await restarted.remove();
      }
    }).timeout(60_000);
  }
});
