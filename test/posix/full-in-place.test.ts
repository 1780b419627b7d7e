import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/core/system/errno.js';
import { O_WRONLY } from '../../src/core/system/files.js';
import { fillUp, makeRoom } from '../support/filler.js';
import { Names } from '../support/operations-by-name.js';
import { applyNews } from '../support/peer-records.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const MIB = 2 ** 20;

/** A file with two names is written in place: both are to have the new contents. */
describe('contents that are written in place, on a disk that has no room for them', function () {
  this.timeout(30_000);
  let peer: TornPresto;
  let host: TornPresto;

  before(async () => {
    peer = await TornPresto.make();
    host = await TornPresto.make();
    host.presto.setGate('absent', 'write');
  });
  after(async () => {
    await peer.remove();
    await host.remove();
  });

  /** A version of the peer's file: every byte is `fill`. */
  function write(fill: string, bytes: number): Buffer {
    const names = new Names(peer.presto.operations, 1);
    const handle = names.open('file', O_WRONLY);
    names.write('file', handle);
    const contents = Buffer.alloc(bytes, fill);
    writeFileSync(join(peer.root, 'file'), contents);
    names.close('file', handle);
    return contents;
  }

  const apply = async (): Promise<string | undefined> => (await applyNews(host, peer))?.message;

  const here = (): Buffer => readFileSync(join(host.root, 'second'));

  it('stay away as a whole, until there is room', async () => {
    const names = new Names(peer.presto.operations, 1);
    names.close('file', names.create('file'));
    const { operations } = peer.presto;
    must('link', operations.link(ROOT, names.node('file'), 1, 'second', newEntry()));
    const old = write('o', MIB);
    assert.equal(await apply(), undefined);
    assert.ok(here().equals(old));
    const next = write('n', 5 * MIB);
    const cache = join(host.root, '.intermezzo');
    fillUp(cache);
    const filler = join(cache, 'filler');
    truncateSync(filler, statSync(filler).size - 2 * MIB);
    assert.match((await apply()) ?? '', /ENOSPC/);
    assert.ok(here().equals(old));
    makeRoom(cache);
    assert.equal(await apply(), undefined);
    assert.ok(here().equals(next));
  });
});
