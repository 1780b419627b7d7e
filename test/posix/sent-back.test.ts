import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newOpened, type Caller } from '../../src/core/fuse/port.js';
import { PsdevServer } from '../../src/core/presto/psdev-server.js';
import { Channel } from '../../src/core/psdev/channel.js';
import { ESTALE, must } from '../../src/core/system/errno.js';
import { O_RDONLY, O_WRONLY } from '../../src/core/system/files.js';
import { Names } from '../support/operations-by-name.js';
import { applyNews } from '../support/peer-records.js';
import { TornPresto } from '../support/torn-presto.js';

const PROGRAM: Caller = { uid: 0, gid: 0, pid: 4711 };

/** A file is replaced by a peer's version while a program is about to open it, and again while it comes back. */
describe('a program that is sent back to look a name up again', function () {
  this.timeout(30_000);
  let peer: TornPresto;
  let host: TornPresto;
  let psdev: PsdevServer;
  let lento: Channel;

  before(async () => {
    peer = await TornPresto.make();
    host = await TornPresto.make();
    psdev = await PsdevServer.listen(host.presto, join(host.root, '..', 'psdev'), {
      fileset: 'shared',
      mountPoint: host.root,
      lowerPath: host.root,
      pid: process.pid,
    });
    const socket = createConnection(join(host.root, '..', 'psdev'));
    lento = new Channel(socket, () => ({}));
    write(0);
    await replace();
  });
  after(async () => {
    lento.close();
    await psdev.close();
    await peer.remove();
    await host.remove();
  });

  /** The peer's next version of the file. */
  function write(version: number): void {
    const names = new Names(peer.presto.operations, 1);
    const handle = version === 0 ? names.create('file') : names.open('file', O_WRONLY);
    names.write('file', handle);
    names.close('file', handle);
  }

  async function replace(): Promise<void> {
    await lento.request('gate', { state: 'absent', policy: 'write' });
    assert.equal(await applyNews(host, peer), undefined);
  }

  const node = () => new Names(host.presto.operations, 1).node('file');
  const open = (id: number, flags: number) =>
    host.presto.operations.open(PROGRAM, id, flags, newOpened());

  it('finds what it looked up when it comes to write: until then the permit stays here', async () => {
    const old = node();
    write(1);
    await replace();
    await lento.request('gate', { state: 'held', policy: 'write' });
    assert.equal(open(old, O_WRONLY), -ESTALE);
    let released = false;
    const release = lento.request('gate', { state: 'absent', policy: 'write' }).then(() => {
      released = true;
    });
    await sleep(50);
    assert.equal(released, false);
    must('open', open(node(), O_WRONLY));
    await release;
  });

  it('does not keep the permit here when it does not come', async () => {
    const old = node();
    // That is open for writing by now, and would be written in place.
    host.presto.files.closeAll();
    write(2);
    await replace();
    await lento.request('gate', { state: 'held', policy: 'write' });
    assert.equal(open(old, O_WRONLY), -ESTALE);
    await lento.request('gate', { state: 'absent', policy: 'write' });
  });

  it('reads what it looked up, although that was replaced since', async () => {
    const first = node();
    write(3);
    await replace();
    assert.equal(open(first, O_RDONLY), -ESTALE);
    const second = node();
    write(4);
    await replace();
    must('open', open(second, O_RDONLY));
  });
});
