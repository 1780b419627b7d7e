import assert from 'node:assert/strict';
import { Notifier } from '../../../src/core/fuse/device/notifier.js';
import { Parking } from '../../../src/core/fuse/device/parking.js';
import { FuseOpcode } from '../../../src/core/fuse/device/protocol.js';
import { Request } from '../../../src/core/fuse/device/request.js';
import { E } from '../../../src/core/system/errno.js';
import { copyMemory, Memory } from '../../../src/core/system/native.js';
import { fuseMessage, u32s } from '../../support/fuse/messages.js';

const request = new Request();

function parkAll(parking: Parking, uniques: readonly number[]): void {
  for (const unique of uniques) {
    request.load(fuseMessage(FuseOpcode.MKDIR, u32s(0, 0), { unique, node: unique * 10 }));
    parking.add(request);
  }
}

/** Numbers of the requests, in the order in which they are presented. */
function presented(parking: Parking, done: (unique: number) => boolean): number[] {
  const seen: number[] = [];
  parking.present((message) => {
    request.load(message);
    seen.push(request.unique);
    return done(request.unique);
  });
  return seen;
}

describe('parking', () => {
  it('presents in the order of arrival; who parks again keeps its place', () => {
    const parking = new Parking();
    parkAll(parking, [1, 2, 3, 4]);
    assert.deepEqual(
      presented(parking, (unique) => unique === 2),
      [1, 2, 3, 4],
    );
    parkAll(parking, [5]);
    assert.equal(parking.remove(3), true);
    assert.equal(parking.remove(3), false);
    assert.deepEqual(
      presented(parking, () => true),
      [1, 4, 5],
    );
    assert.equal(parking.size, 0);
  });

  it('knows the directories that wait', () => {
    const parking = new Parking();
    parkAll(parking, [1]);
    assert.deepEqual([parking.locksDirectory(10), parking.locksDirectory(1)], [true, false]);
    presented(parking, () => true);
    assert.equal(parking.locksDirectory(10), false);
  });

  it('is full by number or by bytes', () => {
    const many = new Parking();
    parkAll(
      many,
      Array.from({ length: 1023 }, (_, i) => i),
    );
    assert.equal(many.full, false);
    parkAll(many, [2000]);
    assert.equal(many.full, true);
    many.remove(7);
    assert.equal(many.full, false);
    const big = new Parking();
    for (let i = 0; i < 64; i++) {
      request.load(fuseMessage(FuseOpcode.WRITE, Buffer.alloc(1024 * 1024)));
      big.add(request);
    }
    assert.equal(big.full, true);
    presented(big, () => true);
    assert.equal(big.full, false);
  });
});

/** A kernel that answers notifications when it is told to. */
class FakeKernel {
  readonly pending: { text: string; done: (result: number) => void }[] = [];
  readonly log: string[] = [];
  readonly locked = new Set<number>();
  readonly notifier = new Notifier(
    (address, length, done) => {
      const memory = new Memory(length);
      copyMemory(address, memory.address, length);
      this.pending.push({ text: told(memory.buffer), done });
    },
    {
      locksDirectory: (node) => this.locked.has(node),
      locksPages: (node) => this.locked.has(node),
    },
    (_level, message) => this.log.push(message),
  );

  /** Answers everything, oldest first. @returns what it was told, in that order. */
  answerAll(): string[] {
    const all: string[] = [];
    for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
      all.push(next.text);
      next.done(0);
    }
    return all;
  }
}

function told(message: Buffer): string {
  assert.equal(message.readUInt32LE(0), message.length);
  assert.equal(message.readBigUInt64LE(8), 0n);
  const node = Number(message.readBigUInt64LE(16));
  if (message.readInt32LE(4) === 2) {
    return `${node} ${message.readBigInt64LE(24) < 0n ? 'attributes' : 'contents'}`;
  }
  const length = message.readUInt32LE(24);
  assert.equal(message.length, 32 + length + 1);
  return `${node}/${message.toString('latin1', 32, 32 + length)}`;
}

/** True when the promise is settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const pending = {};
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('notifier', () => {
  it('tells at most three at once, in order, and twice the same only once', () => {
    const kernel = new FakeKernel();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'd']) kernel.notifier.entry(1, name);
    kernel.notifier.node(4, false);
    kernel.notifier.node(4, true);
    kernel.notifier.node(4, false);
    // On its way already: what has changed since must be told again.
    kernel.notifier.entry(1, 'a');
    assert.equal(kernel.pending.length, 3);
    const told = ['1/a', '1/b', '1/c', '1/d', '1/e', '4 contents', '1/a'];
    assert.deepEqual(kernel.answerAll(), told);
  });

  it('settles when all that was asked before is done, whatever was asked since', async () => {
    const kernel = new FakeKernel();
    for (const name of ['a', 'b', 'c', 'd']) kernel.notifier.entry(1, name);
    const settled = kernel.notifier.settled(60_000);
    kernel.notifier.entry(1, 'later');
    const finish = (index: number) => kernel.pending.splice(index, 1)[0]?.done(-E.ENOENT);
    // The second and third overtake the first.
    finish(1);
    finish(1);
    finish(1);
    finish(1);
    assert.equal(await isSettled(settled), false);
    finish(0);
    await settled;
    assert.deepEqual(kernel.log, []);
  });

  it('settles at the time-out', async () => {
    const kernel = new FakeKernel();
    kernel.notifier.entry(1, 'a');
    // The timer alone does not keep the process alive.
    const alive = setInterval(() => undefined, 1_000);
    await kernel.notifier.settled(10);
    clearInterval(alive);
    kernel.answerAll();
  });

  it('keeps back what a parked request holds up, and does not wait for it', async () => {
    const kernel = new FakeKernel();
    kernel.locked.add(1);
    for (const name of ['a', 'b', 'c', 'd', 'a']) kernel.notifier.entry(1, name);
    kernel.notifier.node(1, false);
    kernel.notifier.node(1, true);
    kernel.notifier.entry(2, 'x');
    assert.deepEqual(kernel.answerAll(), ['1 attributes', '2/x']);
    await kernel.notifier.settled(60_000);
    kernel.locked.clear();
    kernel.notifier.locksChanged();
    assert.deepEqual(kernel.answerAll(), ['1/a', '1/b', '1/c', '1/d', '1 contents']);
  });

  it('stops when what is on its way has come back', async () => {
    const kernel = new FakeKernel();
    for (const name of ['a', 'b', 'c', 'd']) kernel.notifier.entry(1, name);
    const stopped = kernel.notifier.stop();
    kernel.notifier.entry(1, 'too late');
    assert.equal(await isSettled(stopped), false);
    for (const { done } of kernel.pending.splice(0)) done(-E.ENODEV);
    await stopped;
    assert.deepEqual([kernel.pending, kernel.log], [[], []]);
  });

  it('says what the kernel refused', () => {
    const kernel = new FakeKernel();
    kernel.notifier.entry(1, 'a');
    kernel.pending[0]?.done(-E.EINVAL);
    assert.match(kernel.log.join(), /EINVAL/);
  });
});
