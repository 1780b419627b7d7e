import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sameObject, sameStamp } from '../../../src/core/model/ids.js';
import { Opcode, stampOf, type JournalRecord } from '../../../src/core/model/records.js';
import { shorten } from '../../../src/core/replication/shorten/shorten.js';
import { PaperHost } from '../../support/paper/host.js';
import { anyAct, doAct, type Act } from '../../support/paper/random-act.js';
import { PaperTree } from '../../support/paper/tree.js';

const RUNS = Number(process.env['SHORTEN_RUNS'] ?? 200);

interface Story {
  /** The tree that the history begins with, and ends with. */
  readonly before: PaperTree;
  readonly after: PaperTree;
  readonly records: readonly JournalRecord[];
}

function tell(before: readonly Act[], acts: readonly Act[]): Story {
  let time = 0;
  const host = new PaperHost(7, new PaperTree(), () => ({ sec: ++time, nsec: 0 }));
  for (const act of before) doAct(host, act);
  const begin = host.tree.copy();
  host.records = [];
  for (const act of acts) doAct(host, act);
  return { before: begin, after: host.tree, records: host.records };
}

/** The contents come along only as long as the sender still has them: the last that it wrote. */
function apply(tree: PaperTree, records: readonly JournalRecord[], sender: PaperTree): void {
  for (const record of records) {
    const object = sender.byId(record.head.object);
    const isCurrent = object !== undefined && sameStamp(object.content, stampOf(record));
    tree.apply(record, isCurrent ? object.data : undefined);
  }
}

function isOfAttributes({ body: { op } }: JournalRecord): boolean {
  return op === Opcode.SETATTR || op === Opcode.SETEXTATTR || op === Opcode.DELEXTATTR;
}

const anyStory = fc
  .record({
    before: fc.array(anyAct, { maxLength: 12 }),
    acts: fc.array(anyAct, { maxLength: 60, size: 'max' }),
  })
  .map(({ before, acts }) => tell(before, acts));

function check(story: Story, records: readonly JournalRecord[]): void {
  const tree = story.before.copy();
  apply(tree, records, story.after);
  assert.deepEqual(tree.describe(), story.after.describe());
}

describe('a history that is shortened', () => {
  it('makes the same tree, record by record, with the same versions and times', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        check(story, shorten(story.records));
      }),
      { numRuns: RUNS },
    );
  });

  it('says of each update which version it followed, as far as its receiver ever has that', () => {
    fc.assert(
      fc.property(anyStory, ({ before, records }) => {
        const tree = before.copy();
        for (const record of shorten(records)) {
          const object = tree.byId(record.head.object);
          if (object !== undefined) {
            const seen = isOfAttributes(record) ? object.attributes : object.content;
            assert.deepEqual(record.head.before, seen);
          }
          const { body } = record;
          const replaced = body.op === Opcode.RENAME ? tree.byId(body.replaced) : undefined;
          if (replaced !== undefined && body.op === Opcode.RENAME) {
            assert.deepEqual(body.replacedStamp, replaced.content);
          }
          tree.apply(record, 'its contents');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('makes the same tree when it was cut anywhere and each part was shortened', () => {
    fc.assert(
      fc.property(anyStory, fc.array(fc.nat(60), { maxLength: 4 }), (story, cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), Infinity];
        const parts = at.slice(1).flatMap((end, i) => shorten(story.records.slice(at[i], end)));
        check(story, parts);
        // What a shortened history is followed by may be shortened with it once more.
        check(
          story,
          shorten([...shorten(story.records.slice(0, at[1])), ...story.records.slice(at[1])]),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('makes the same tree where its first record was applied before', () => {
    fc.assert(
      fc.property(anyStory, ({ before, after, records }) => {
        const [first] = records;
        if (first === undefined) return;
        assert.equal(shorten(records)[0], first);
        const tree = before.copy();
        apply(tree, [first], after);
        apply(tree, shorten(records).slice(1), after);
        assert.deepEqual(tree.describe(), after.describe());
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  it('is not made shorter by shortening it again, keeps its numbers and its order', () => {
    fc.assert(
      fc.property(anyStory, ({ records }) => {
        const short = shorten(records);
        assert.deepEqual(shorten(short), short);
        const numbers = short.map(({ head }) => head.recno);
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
        for (const { head, body } of short) {
          const was = records.find((record) => record.head.recno === head.recno);
          assert.ok(was !== undefined && sameObject(was.head.object, head.object));
          assert.equal(body.op, was.body.op);
        }
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });
});

describe('what people do a thousand times', () => {
  const host = (): PaperHost => {
    let time = 0;
    return new PaperHost(7, new PaperTree(), () => ({ sec: ++time, nsec: 0 }));
  };
  const N = 300;

  it('saving a file in place comes down to one record', () => {
    const user = host();
    user.create('doc');
    for (let i = 0; i < N; i++) user.write('doc', `version ${i}`);
    assert.deepEqual(
      shorten(user.records).map(({ body }) => body.op),
      [Opcode.CREATE, Opcode.CLOSE],
    );
  });

  it('saving as editors do, by a new file that takes the name, to the last three', () => {
    const user = host();
    user.create('doc');
    for (let i = 0; i < N; i++) user.save('doc', `version ${i}`);
    const short = shorten(user.records);
    assert.deepEqual(
      short.map(({ body }) => body.op),
      [Opcode.CREATE, Opcode.CREATE, Opcode.CLOSE, Opcode.RENAME],
    );
    const last = short.at(-1)?.body;
    assert.ok(last?.op === Opcode.RENAME);
    assert.deepEqual(last.replaced, user.records[0]?.head.object);
  });

  it('trees that are made and removed again, to the last name in the directory that stays', () => {
    const user = host();
    user.mkdir('work');
    for (let i = 0; i < N; i++) {
      user.mkdir('work/tmp');
      user.create('work/tmp/a');
      user.write('work/tmp/a', `object ${i}`);
      user.mkdir('work/tmp/d');
      user.create('work/tmp/d/b');
      user.rename('work/tmp/d/b', 'work/tmp/c');
      user.remove('work/tmp');
    }
    assert.deepEqual(
      shorten(user.records).map(({ body }) => body.op),
      [Opcode.MKDIR, Opcode.MKDIR, Opcode.RMDIR],
    );
  });
});
