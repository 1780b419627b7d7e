import assert from 'node:assert/strict';
import { must } from '../../src/core/system/errno.js';
import { Names, OPERATIONS, prepare } from '../support/operations-by-name.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const MOMENTS_MAX = 100;

describe('presto ends at any moment of an operation', () => {
  let torn: TornPresto;
  let count = 0;

  before(async function () {
    this.timeout(60_000);
    torn = await TornPresto.make();
  });
  after(async function () {
    this.timeout(60_000);
    await torn.remove();
  });

  for (const [what, operation] of Object.entries(OPERATIONS)) {
    it(what, async () => {
      const first = count + 1;
      let moment = 1;
      for (let crashed = true; crashed; moment++) {
        assert.ok(moment < MOMENTS_MAX, 'it does not end');
        const { operations } = torn.presto;
        const entry = newEntry();
        must('mkdir', operations.mkdir(ROOT, 1, `case-${++count}`, 0o755, 0, entry));
        const names = new Names(operations, entry.node);
        prepare(names);
        crashed = await torn.crash(moment, () => {
          operation(names, operations);
        });
      }
      try {
        torn.check();
      } catch (error) {
        throw new Error(`case-${first} crashed at moment 1, and so on`, { cause: error });
      }
      assert.ok(moment > 4, `${moment} moments`);
    });
  }
});
