import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { killWhileBusy } from '../support/kill-presto.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

/** Rounds by binding. fuse-native has builds for x86-64 only. */
const ROUNDS = { device: 10, ...(process.arch === 'x64' && { native: 2 }) };

for (const [binding, rounds] of Object.entries(ROUNDS)) {
  describe(`presto of the ${binding} binding, killed while programs work`, function () {
    this.slow(10_000);
    killed(binding, rounds);
  });
}

function killed(binding: string, rounds: number): void {
  let mounted: MountedHost;
  let notes: string;
  let seen = 0;

  before(async function () {
    this.timeout(60_000);
    mounted = await MountedHost.make('256M');
    notes = join(mounted.root, 'notes');
    mkdirSync(notes);
    await mounted.mount(`binding=${binding}`);
  });

  after(async function () {
    this.timeout(60_000);
    await mounted.remove();
  });

  for (let round = 1; round <= rounds; round++) {
    it(`round ${round}: what was closed is there, and the tree is what the log says`, async () => {
      seen += await killWhileBusy(mounted, notes, round, `binding=${binding}`);
    }).timeout(60_000);
  }

  it('some files were being written, and the mount says which', async () => {
    assert.ok(seen > 0);
    const log = readFileSync(join(mounted.host.runDir, 'intermezzo0', `${FILESET}.log`), 'utf8');
    assert.match(log, /was being written: closed/);
    await mounted.unmountAndCheck();
  }).timeout(60_000);
}
