import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { until, useCluster } from '../support/cluster.js';

describe('cluster: a replicator whose log is damaged while it is cut off', function () {
  this.timeout(90_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  it('recovers, and brings what it had not sent', async () => {
    const { server, client } = cluster;
    await cluster.on(server, 'mkdir $M/d; for n in 1 2 3; do echo old $n > $M/d/$n; done');
    await cluster.equalAfter(server);
    await cluster.on(client, 'echo client > $M/c');
    await cluster.equalAfter(client);
    await cluster.setLink(client, 'down');
    await until('it is cut off', async () => !(await cluster.isConnected(client)));
    await cluster.on(client, 'echo unsent > $M/d/2; echo new > $M/d/new; rm $M/d/3');
    flip(join(listMounted(client.runDir)[0]?.lowerPath ?? '', '.intermezzo/shared/kml'), -20);
    await client.izo(['umountizo']);
    await assert.rejects(client.mount('shared'), /damaged/);
    await client.izo(['recovery', client.image, '--do']);
    await client.mount('shared');
    await cluster.setLink(client, 'up');
    await cluster.connected();
    await cluster.on(client, 'echo last > $M/last');
    await cluster.equalAfter(client);
    const text = await cluster.on(server, 'cat $M/d/new $M/c; cat $M/d/2* | sort; cat $M/d/1');
    assert.equal(text, 'new\nclient\nold 2\nunsent\nold 1');
  });
});

function flip(path: string, at: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const end = fstatSync(fd).size;
  readSync(fd, byte, 0, 1, end + at);
  byte.writeUInt8(byte.readUInt8(0) ^ 0xff, 0);
  writeSync(fd, byte, 0, 1, end + at);
  closeSync(fd);
}
