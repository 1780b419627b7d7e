import assert from 'node:assert/strict';
import { checkSnapshot } from '../support/power/check-snapshot.js';
import { howToReplay, keep } from '../support/power/keep.js';
import { mountSnapshot } from '../support/power/mount-snapshot.js';
import { ReflinkDisk } from '../support/power/reflink-disk.js';
import { takeSnapshots, type Snapshot } from '../support/power/snapshots.js';

const SNAPSHOTS = 15;
/** Not one of them is expected to be right. */
const UNORDERED = 4;
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
          const verdict = await checkSnapshot(snapshot(number));
          synced += verdict.synced;
          if (verdict.violations.length === 0) return;
          const how = howToReplay(await keep(snapshot(number)));
          assert.fail(`${verdict.violations.join('\n')}\n${how}`);
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
