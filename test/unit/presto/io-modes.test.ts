import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newOpened, type FuseBinding, type Opened } from '../../../src/core/fuse/port.js';
import { IoModes, type IoMode } from '../../../src/core/presto/contents/io-modes.js';
import { Node } from '../../../src/core/presto/tree/node.js';
import { E } from '../../../src/core/system/errno.js';
import { O_RDONLY, O_RDWR, O_WRONLY } from '../../../src/core/system/files.js';

/** What a step of a script opens for, as flags of open(2): reading, writing, both. */
const ACCESS = { r: O_RDONLY, w: O_WRONLY, b: O_RDWR } as const;
type Access = (typeof ACCESS)[keyof typeof ACCESS];

/** One inode as the kernel sees it, which refuses answers that mix its page cache with files that are passed through. */
class Kernel {
  readonly node = new Node(2, 12, 0o100644);
  readonly #open: { opened: Opened; mode: IoMode }[] = [];
  readonly #backings = new Set<number>();
  #count = 0;
  /** Something was written past its page cache since that was last known to be good. */
  #stale = false;
  readonly #modes: IoModes;

  constructor(passes: () => boolean, passthrough = true) {
    const binding = {
      openBacking: () => {
        if (!passthrough || !passes()) return -E.EMFILE;
        this.#backings.add(++this.#count);
        return this.#count;
      },
      closeBacking: (backing: number) => {
        assert.ok(this.#backings.delete(backing), 'it is closed once');
      },
    } as unknown as FuseBinding;
    this.#modes = new IoModes(() => binding);
  }

  open(access: Access): void {
    const opened = newOpened();
    const mode = this.#modes.open(this.node, 3, access, opened);
    const writable = access !== O_RDONLY;
    assert.equal(mode === 'passed', opened.backing !== 0);
    for (const other of this.#open) {
      assert.equal(other.mode === 'cached', mode === 'cached', 'the page cache is for all or none');
      assert.equal(opened.backing, other.opened.backing);
    }
    if (mode === 'cached') {
      assert.ok(!opened.directIo);
      assert.ok(!(this.#stale && opened.keepCache), 'pages from before are not kept');
      this.#stale = false;
    } else {
      assert.ok(this.#backings.has(opened.backing));
      assert.ok(!opened.keepCache, 'the kernel refuses both');
      assert.equal(opened.directIo, writable, 'writes have to come here');
      if (writable) this.#stale = true;
    }
    assert.equal(opened.noFlush, !writable);
    this.node.opens++;
    this.#open.push({ opened, mode });
  }

  close(index: number): void {
    const [file] = this.#open.splice(index % Math.max(1, this.#open.length), 1);
    if (file === undefined) return;
    this.node.opens--;
    this.#modes.closed(this.node, file.mode);
  }

  closeAll(): void {
    while (this.#open.length > 0) this.close(0);
    assert.equal(this.#backings.size, 0, 'a backing file is left open');
  }

  get modes(): string {
    return this.#open.map(({ mode }) => mode.charAt(0)).join('');
  }
}

function run(script: string, kernel: Kernel): void {
  for (const step of script) {
    if (step === '-') kernel.close(0);
    else kernel.open(ACCESS[step as keyof typeof ACCESS]);
  }
}

describe('how the kernel reads and writes open files', () => {
  const cases: [string, string][] = [
    ['r', 'p'],
    ['w', 'p'],
    ['b', 'c'],
    ['rr', 'pp'],
    ['wr', 'pp'],
    ['br', 'cc'],
    ['bw', 'cc'],
    ['wb', 'pp'],
    ['rb', 'pp'],
    ['rw', 'pp'],
    ['rbr', 'ppp'],
    ['rw-r', 'pp'],
    ['wrw', 'ppp'],
    ['wrw--w', 'pp'],
    ['rb--b', 'c'],
    ['br-r', 'cc'],
    ['br--r', 'p'],
    ['bw--w', 'p'],
  ];
  for (const [script, expected] of cases) {
    it(`${script}: ${expected}`, () => {
      const kernel = new Kernel(() => true);
      run(script, kernel);
      assert.equal(kernel.modes, expected);
      kernel.closeAll();
    });
  }

  it('is as the kernel demands, in any order, also where it passes only some files through', () => {
    const access = fc.constantFrom<Access>(O_RDONLY, O_WRONLY, O_RDWR);
    const step = fc.oneof(
      { arbitrary: fc.record({ access, passes: fc.boolean() }), weight: 3 },
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
            kernel.open(each.access);
          }
        }
        kernel.closeAll();
      }),
    );
  });

  it('is its page cache where it passes nothing through: and that is kept', () => {
    const kernel = new Kernel(() => false, false);
    run('rwbr', kernel);
    assert.equal(kernel.modes, 'cccc');
    kernel.closeAll();
    const opened = newOpened();
    new IoModes(() => undefined).open(kernel.node, 3, O_RDONLY, opened);
    assert.ok(opened.keepCache);
  });
});
