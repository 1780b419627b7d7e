import assert from 'node:assert/strict';
import { join } from 'node:path';
import { compareTrees } from '../../src/core/demo/compare-trees.js';
import { must } from '../../src/core/system/errno.js';
import { Names, OPERATIONS, prepare } from '../support/operations-by-name.js';
import { applyNews, recordsOf } from '../support/peer-records.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const MOMENTS_MAX = 150;

/** `every`: so manieth operation; `further`: see applyNews. */
const CASES = [
  { who: 'server', what: 'an update', log: true, every: 1, further: 0 },
  {
    who: 'server',
    what: 'an update that a merge has made anew',
    log: true,
    every: 3,
    further: 1e5,
  },
  { who: 'client', what: 'an update', log: false, every: 1, further: 0 },
] as const;

/** Lets the replica apply what the source has done since; `moment`: then ends it there. @returns false where it had none */
async function follow(
  source: TornPresto,
  replica: TornPresto,
  { log, further }: (typeof CASES)[number],
  moment: number,
): Promise<boolean> {
  const apply = async (): Promise<void> => {
    replica.presto.setGate('absent', 'write');
    assert.equal(await applyNews(replica, source, log, further), undefined);
  };
  const crashed = await replica.crash(moment, apply);
  if (crashed) await apply();
  return crashed;
}

for (const each of CASES) {
  const { who, what: applied, log, every } = each;
  describe(`a ${who} ends at any moment of applying ${applied}`, () => {
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

    const operations = Object.entries(OPERATIONS).filter((_, index) => index % every === 0);
    for (const [what, operation] of operations) {
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
          await follow(source, replica, each, 0);
          operation(names, presto.operations);
          presto.closeDirty();
          crashed = await follow(source, replica, each, moment);
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

    if (log) {
      it('and every update is in its log once', () => {
        const once = new Set<string>();
        const twice: string[] = [];
        let items = recordsOf(replica.root, 1);
        while (items.length > 0) {
          for (const { record } of items) {
            const { origin, originRecno } = record.head;
            const update = [origin, originRecno, record.body.op].join();
            if (once.has(update)) twice.push(update);
            once.add(update);
          }
          items = recordsOf(replica.root, (items.at(-1)?.record.head.recno ?? 0) + 1);
        }
        assert.ok(once.size > 1000, `${once.size} updates`);
        assert.deepEqual(twice, []);
      });
    }
  });
}
