import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Busy } from '../support/busy.js';
import { checkLower } from '../support/check-cache.js';
import { fillUp, makeRoom } from '../support/filler.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

const WORKERS = 2;
/** Much more than the workers ever want: once there is room again, it stays. */
const SIZE = '64M';
const WORK_MS = 700;
const PATIENCE_MS = 60_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, what);
    await sleep(20);
  }
}

for (const type of ['ext3', 'ext4'] as const) {
  describe(`the disk fills up while programs work, on ${type}`, function () {
    this.slow(20_000);
    let mounted: MountedHost;
    let notes: string;

    before(async function () {
      this.timeout(60_000);
      mounted = await MountedHost.make(SIZE, undefined, type);
      notes = join(mounted.root, 'notes');
      mkdirSync(notes);
      await mounted.mount();
    });

    after(async function () {
      this.timeout(60_000);
      await mounted.remove();
    });

    async function fillWhileBusy(round: number): Promise<Busy> {
      const busy = await Busy.start(mounted.mountPoint, notes, round, WORKERS);
      await sleep(WORK_MS);
      const ends = fillUp(mounted.mountPoint);
      assert.deepEqual([...new Set(ends)], ['ENOSPC']);
      await until('the programs are told', () => busy.count('full') > 3);
      return busy;
    }

    it('they are told, nothing is lost, and they go on when there is room', async () => {
      const busy = await fillWhileBusy(1);
      makeRoom(mounted.mountPoint);
      const done = busy.count('synced');
      await until('they go on', () => busy.count('synced') > done + 3);
      await busy.end('SIGTERM');
      assert.deepEqual(busy.differences(), []);
      await mounted.unmountAndCheck();
      await mounted.mount();
    }).timeout(180_000);

    it('presto is killed then: what was done is there, and all goes on when there is room', async () => {
      const busy = await fillWhileBusy(2);
      await mounted.kill();
      await busy.end();
      await mounted.mount();
      assert.deepEqual(busy.differences(), []);
      makeRoom(mounted.mountPoint);
      const { lowerPath } = mounted.state;
      // What could not be journaled is as soon as there is room, a moment later.
      await until('the log says it all', () => {
        try {
          checkLower(lowerPath, FILESET);
          return true;
        } catch {
          return false;
        }
      });
      assert.deepEqual(busy.differences(), []);
      const again = await Busy.start(mounted.mountPoint, notes, 3, WORKERS);
      await sleep(WORK_MS);
      await again.end('SIGTERM');
      assert.deepEqual(again.differences(), []);
      await mounted.unmountAndCheck();
    }).timeout(180_000);
  });
}
