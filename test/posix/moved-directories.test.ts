import assert from 'node:assert/strict';
import type { FuseBinding } from '../../src/core/fuse/port.js';
import { must } from '../../src/core/system/errno.js';
import { Names } from '../support/operations-by-name.js';
import { applyNews } from '../support/peer-records.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

/** A kernel that could not move a directory to another name now. */
class ContestedKernel implements Partial<FuseBinding> {
  readonly kind = 'device';
  readonly stale: string[] = [];
  serve = (): Promise<void> => Promise.resolve();
  isContested = (): boolean => true;
  resumeParked = (): void => undefined;
  invalidateNode = (): void => undefined;
  invalidateEntry = (parent: number, name: string): void =>
    void this.stale.push(`${parent} ${name}`);
}

describe('a directory that a peer moves while the kernel has its name locked', function () {
  this.timeout(30_000);
  const kernel = new ContestedKernel();
  let peer: TornPresto;
  let host: TornPresto;

  before(async () => {
    peer = await TornPresto.make();
    host = await TornPresto.make();
    await host.presto.serve(kernel as unknown as FuseBinding);
    const { operations } = peer.presto;
    const [from, to] = [mkdir(1, 'from'), mkdir(1, 'to')];
    mkdir(mkdir(from, 'moved'), 'below');
    await apply();
    lookupAll();
    must('rename', operations.rename(ROOT, from, 'moved', to, 'moved', 0));
    await apply();
  });
  after(async () => {
    await peer.remove();
    await host.remove();
  });

  function mkdir(parent: number, name: string): number {
    const entry = newEntry();
    must('mkdir', peer.presto.operations.mkdir(ROOT, parent, name, 0o755, 0, entry), name);
    return entry.node;
  }

  async function apply(): Promise<void> {
    host.presto.setGate('absent', 'write');
    assert.equal(await applyNews(host, peer), undefined);
    host.presto.setGate('held', 'write');
  }

  const under = (parent: number, name: string) =>
    new Names(host.presto.operations, parent).node(name);
  const earlier = { moved: 0, below: 0 };
  function lookupAll(): void {
    earlier.moved = under(under(1, 'from'), 'moved');
    earlier.below = under(earlier.moved, 'below');
  }

  it('has another number then, and so have those below', () => {
    const moved = under(under(1, 'to'), 'moved');
    assert.notEqual(moved, earlier.moved);
    assert.notEqual(under(moved, 'below'), earlier.below);
  });

  it('is reached by the number of before as well, and the kernel is told of changes by both', async () => {
    const moved = under(under(1, 'to'), 'moved');
    const inside = new Names(host.presto.operations, earlier.moved);
    inside.mkdir('by-old-number');
    assert.ok(under(moved, 'by-old-number') > 0);
    host.presto.closeDirty();
    const path = under(under(1, 'to'), 'moved');
    kernel.stale.length = 0;
    const names = new Names(peer.presto.operations, 1);
    mkdir(names.node('moved', names.node('to')), 'of-peer');
    await apply();
    assert.deepEqual(kernel.stale.sort(), [`${path} of-peer`, `${earlier.moved} of-peer`].sort());
  });

  it('is dropped when the kernel has forgotten every number', () => {
    const { table, operations } = host.presto;
    for (const id of [earlier.below, earlier.moved]) {
      assert.ok(operations.isKnown(id));
      operations.forget(id, table.lookupsOf(id));
      assert.equal(operations.isKnown(id), false);
      assert.equal(table.get(id), undefined);
    }
    assert.equal(operations.isKnown(under(under(1, 'to'), 'moved')), true);
  });
});
