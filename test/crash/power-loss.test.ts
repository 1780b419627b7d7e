import assert from 'node:assert/strict';
import { checkSnapshot } from '../support/power/check-snapshot.js';
import { howToReplay, keep } from '../support/power/keep.js';
import { mountSnapshot } from '../support/power/mount-snapshot.js';
import { ReflinkDisk } from '../support/power/reflink-disk.js';
import { takeSnapshots, type Snapshot } from '../support/power/snapshots.js';

const SNAPSHOTS = 15;
/** Not one of them is expected to be right. */
const UNORDERED = 4;
const FULL = 6;
const SEED = 1;

describe('the power fails while programs work', function () {
  this.slow(10_000);
  let disk: ReflinkDisk | undefined;

  before(async function () {
    this.timeout(60_000);
    disk = await ReflinkDisk.make();
    if (disk === undefined) this.skip();
  });

  after(async function () {
    this.timeout(60_000);
    await disk?.remove();
  });

  async function check(snapshot: Snapshot): Promise<number> {
    const { violations, synced } = await checkSnapshot(snapshot);
    if (violations.length === 0) return synced;
    assert.fail(`${violations.join('\n')}\n${howToReplay(await keep(snapshot))}`);
  }

  it('on a disk that is full meanwhile: nothing is lost, all goes on when there is room', async () => {
    const wanted = {
      type: 'ext3',
      seed: SEED,
      snapshots: FULL,
      ordered: true,
      full: true,
    } as const;
    for (const each of await takeSnapshots(disk?.path ?? '', wanted)) await check(each);
  }).timeout(120_000);

  for (const type of ['ext3', 'ext4'] as const) {
    describe(`on ${type}`, () => {
      let snapshots: Snapshot[] = [];
      let synced = 0;
      const snapshot = (number: number): Snapshot => {
        const found = snapshots[number - 1];
        assert.ok(found !== undefined);
        return found;
      };

      before(async function () {
        this.timeout(120_000);
        const wanted = { type, seed: SEED, snapshots: SNAPSHOTS, ordered: true };
        snapshots = await takeSnapshots(disk?.path ?? '', wanted);
      });

      for (let number = 1; number <= SNAPSHOTS; number++) {
        it(`snapshot ${number} has what was synced, and its tree is what its log says`, async () => {
          synced += await check(snapshot(number));
        }).timeout(60_000);
      }

      it('izo mounts what is left', async () => {
        const { records } = await mountSnapshot(snapshot(SNAPSHOTS));
        assert.ok(records > 10 * SNAPSHOTS, `${records} records`);
        assert.ok(synced > SNAPSHOTS, `${synced} files that were fsynced`);
      }).timeout(60_000);

      it('without +j on the logs the same check finds what is lost', async () => {
        const wanted = { type, seed: SEED, snapshots: UNORDERED, ordered: false };
        const unordered = await takeSnapshots(disk?.path ?? '', wanted);
        let violated = 0;
        for (const each of unordered) {
          const { violations } = await checkSnapshot(each);
          if (violations.length > 0) violated++;
        }
        assert.ok(violated > 0);
      }).timeout(120_000);
    });
  }
});
