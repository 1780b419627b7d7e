import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { PsdevServer } from '../../src/core/presto/psdev-server.js';
import { Channel, ChannelRefusal } from '../../src/core/psdev/channel.js';
import { TornPresto } from '../support/torn-presto.js';

describe('a merge that comes when the link was lost again', function () {
  this.timeout(30_000);
  let host: TornPresto;
  let psdev: PsdevServer;
  let lento: Channel;

  before(async () => {
    host = await TornPresto.make();
    const path = join(host.root, '..', 'psdev');
    const { root } = host;
    const about = { fileset: 'shared', mountPoint: root, lowerPath: root, pid: process.pid };
    psdev = await PsdevServer.listen(host.presto, path, about);
    lento = new Channel(createConnection(path), () => ({}));
  });
  after(async () => {
    lento.close();
    await psdev.close();
    await host.remove();
  });

  it('is refused, so that lento takes what it has put into the stage away again', async () => {
    await lento.request('gate', { state: 'disconnected', policy: 'write' });
    const refused = await lento
      .request('merge', { plan: 'a-plan' })
      .catch((error: unknown) => error);
    assert.ok(refused instanceof ChannelRefusal);
    assert.equal(refused.code, 'merge-refused');
  });
});
