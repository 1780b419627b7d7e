import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { killWhileBusy } from '../support/kill-presto.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

const ROUNDS = 10;

describe('presto killed while programs work', function () {
  this.slow(10_000);
  let mounted: MountedHost;
  let notes: string;
  let seen = 0;

  before(async function () {
    this.timeout(60_000);
    mounted = await MountedHost.make('256M');
    notes = join(mounted.root, 'notes');
    mkdirSync(notes);
    await mounted.mount();
  });

  after(async function () {
    this.timeout(60_000);
    await mounted.remove();
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`round ${round}: what was closed is there, and the tree is what the log says`, async () => {
      seen += await killWhileBusy(mounted, notes, round);
    }).timeout(60_000);
  }

  it('some files were being written, and the mount says which', async () => {
    assert.ok(seen > 0);
    const log = readFileSync(join(mounted.host.runDir, 'intermezzo0', `${FILESET}.log`), 'utf8');
    assert.match(log, /was being written: closed/);
    await mounted.unmountAndCheck();
  }).timeout(60_000);
});
