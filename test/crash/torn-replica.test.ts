import assert from 'node:assert/strict';
import { join } from 'node:path';
import { compareTrees } from '../../src/core/demo/compare-trees.js';
import { must } from '../../src/core/system/errno.js';
import { Names, OPERATIONS, prepare } from '../support/operations-by-name.js';
import { applyNews } from '../support/peer-records.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const MOMENTS_MAX = 150;

/** Lets the replica apply what the source has done since; `moment`: then ends it there. @returns false where it had none */
async function follow(source: TornPresto, replica: TornPresto, log: boolean, moment: number) {
  const apply = async (): Promise<void> => {
    replica.presto.setGate('absent', 'write');
    assert.equal(await applyNews(replica, source, log), undefined);
  };
  const crashed = await replica.crash(moment, apply);
  if (crashed) await apply();
  return crashed;
}

for (const log of [true, false]) {
  describe(`a ${log ? 'server' : 'client'} ends at any moment of applying an update`, () => {
    let source: TornPresto;
    let replica: TornPresto;
    let count = 0;

    before(async function () {
      this.timeout(60_000);
      source = await TornPresto.make();
      replica = await TornPresto.make();
    });
    after(async function () {
      this.timeout(60_000);
      await source.remove();
      await replica.remove();
    });

    for (const [what, operation] of Object.entries(OPERATIONS)) {
      it(what, async () => {
        const first = count + 1;
        let moment = 1;
        for (let crashed = true; crashed; moment++) {
          assert.ok(moment < MOMENTS_MAX, 'it does not end');
          const { presto } = source;
          const entry = newEntry();
          must('mkdir', presto.operations.mkdir(ROOT, 1, `case-${++count}`, 0o755, 0, entry));
          const names = new Names(presto.operations, entry.node);
          prepare(names);
          await follow(source, replica, log, 0);
          operation(names, presto.operations);
          presto.closeDirty();
          crashed = await follow(source, replica, log, moment);
        }
        assert.ok(moment > 4, `${moment} moments`);
        if (log) replica.check();
        for (let i = first; i <= count; i++) {
          const name = `case-${i}`;
          const { differences } = compareTrees(join(source.root, name), join(replica.root, name));
          assert.deepEqual(differences, [], `crashed at moment ${i - first + 1}`);
        }
        // Without the descriptors of all cases before, which are looked through whenever the other one ends.
        await source.crash(0, () => undefined);
      });
    }
  });
}
