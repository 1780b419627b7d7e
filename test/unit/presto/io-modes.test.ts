import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newOpened, type FuseBinding, type Opened } from '../../../src/core/fuse/port.js';
import { IoModes } from '../../../src/core/presto/io-modes.js';
import { Node } from '../../../src/core/presto/node.js';
import { E } from '../../../src/core/system/errno.js';

/** One inode as the kernel sees it, which refuses answers that mix its page cache with files that are passed through. */
class Kernel {
  readonly node = new Node(2, 12, 0o100644);
  readonly #open: { opened: Opened; passes: boolean; writable: boolean }[] = [];
  readonly #backings = new Set<number>();
  #count = 0;
  /** Something was written past its page cache since that was last known to be good. */
  #stale = false;
  readonly #modes: IoModes;

  constructor(passes: () => boolean) {
    const binding = {
      openBacking: () => {
        if (!passes()) return -E.EMFILE;
        this.#backings.add(++this.#count);
        return this.#count;
      },
      closeBacking: (backing: number) => {
        assert.ok(this.#backings.delete(backing), 'it is closed once');
      },
    } as unknown as FuseBinding;
    this.#modes = new IoModes(() => binding);
  }

  open(writable: boolean): void {
    const opened = newOpened();
    const passes = this.#modes.open(this.node, 3, writable, opened);
    assert.equal(passes, opened.backing !== 0);
    for (const other of this.#open) {
      assert.equal(other.opened.backing, opened.backing, 'all have the same, or none');
    }
    if (passes) {
      assert.ok(this.#backings.has(opened.backing));
      assert.ok(!opened.keepCache, 'the kernel refuses both');
      assert.equal(opened.directIo, writable, 'what is written has to come here');
    } else {
      assert.ok(!opened.directIo);
      assert.ok(!(this.#stale && opened.keepCache), 'pages from before are not kept');
      this.#stale = false;
    }
    if (passes && writable) this.#stale = true;
    assert.equal(opened.noFlush, !writable);
    this.node.opens++;
    this.#open.push({ opened, passes, writable });
  }

  close(index: number): void {
    const [file] = this.#open.splice(index % Math.max(1, this.#open.length), 1);
    if (file === undefined) return;
    this.node.opens--;
    if (file.passes) this.#modes.closed(this.node);
  }

  closeAll(): void {
    while (this.#open.length > 0) this.close(0);
    assert.equal(this.#backings.size, 0, 'a backing file is left open');
  }

  get modes(): string {
    const how = this.#open.map(({ passes, writable }) => (passes ? (writable ? 'd' : 'p') : 'c'));
    return how.join('');
  }
}

describe('how the kernel reads and writes open files', () => {
  const cases: [string, string][] = [
    ['r', 'p'],
    ['w', 'c'],
    ['rr', 'pp'],
    ['wr', 'cc'],
    ['rw', 'pd'],
    ['rwr', 'pdp'],
    ['rw-r', 'dp'],
    ['rw--w', 'c'],
    ['wr-r', 'cc'],
    ['wr--r', 'p'],
  ];
  for (const [script, expected] of cases) {
    it(`${script}: ${expected}`, () => {
      const kernel = new Kernel(() => true);
      for (const step of script) {
        if (step === '-') kernel.close(0);
        else kernel.open(step === 'w');
      }
      assert.equal(kernel.modes, expected);
      kernel.closeAll();
    });
  }

  it('is as the kernel demands, in any order, also where it passes only some files through', () => {
    const step = fc.oneof(
      { arbitrary: fc.record({ writable: fc.boolean(), passes: fc.boolean() }), weight: 3 },
      { arbitrary: fc.nat(5), weight: 2 },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let passes = true;
        const kernel = new Kernel(() => passes);
        for (const each of steps) {
          if (typeof each === 'number') {
            kernel.close(each);
          } else {
            passes = each.passes;
            kernel.open(each.writable);
          }
        }
        kernel.closeAll();
      }),
    );
  });

  it('is its page cache where it passes nothing through: and that is kept', () => {
    const kernel = new Kernel(() => false);
    for (const writable of [false, true, false]) kernel.open(writable);
    assert.equal(kernel.modes, 'ccc');
    kernel.closeAll();
    const opened = newOpened();
    new IoModes(() => undefined).open(kernel.node, 3, false, opened);
    assert.ok(opened.keepCache);
  });
});
