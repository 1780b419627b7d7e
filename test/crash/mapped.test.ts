import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MountedHost } from '../support/mounted-host.js';

const WORKER = fileURLToPath(new URL('../support/mapping-worker.ts', import.meta.url));
/** presto looks once a second; a look finds nothing new, and the file gets its CLOSE. */
const CLOSED_MS = 3_000;
const BEFORE = `${'.'.repeat(5000)}\n`;

describe('presto killed right after a write to a map that nobody tells it of', function () {
  this.timeout(60_000).slow(20_000);
  let mounted: MountedHost;
  let worker: ChildProcess | undefined;

  before(async () => {
    mounted = await MountedHost.make();
    await mounted.mount();
  });

  after(async () => {
    worker?.kill('SIGKILL');
    await mounted.remove();
  });

  it('the next mount journals it, whatever the file is called by then', async () => {
    const path = join(mounted.mountPoint, 'file');
    const flags = join(mounted.root, 'flag');
    writeFileSync(path, BEFORE);
    const words = ['--import', import.meta.resolve('tsx'), WORKER, path, flags];
    worker = spawn(process.execPath, words, { stdio: 'inherit' });
    const lower = join(mounted.state.lowerPath, 'renamed');
    for (let tries = 0; !existsSync(`${flags}.mapped`); tries++) {
      assert.ok(tries < 1_000, 'it is not mapped');
      await sleep(20);
    }
    renameSync(path, join(mounted.mountPoint, 'renamed'));
    await sleep(CLOSED_MS);
    writeFileSync(`${flags}.go`, '');
    // Where the kernel has no passthrough, the write is in its own cache and dies with presto.
    for (let tries = 0; tries < 100 && !readFileSync(lower, 'latin1').includes('C'); tries++) {
      await sleep(5);
    }
    await mounted.kill();
    const gone = new Promise((resolve) => worker?.once('exit', resolve));
    worker.kill('SIGKILL');
    await gone;
    await mounted.mount();
    const kept = readFileSync(join(mounted.mountPoint, 'renamed'), 'latin1');
    assert.match(kept, /^A\.{4}[.C]\.+\n$/);
    const count = recovered(mounted);
    await mounted.unmountAndCheck();
    // Nothing is left to be closed again.
    await mounted.mount();
    assert.equal(recovered(mounted), count);
    await mounted.unmount();
  });
});

function recovered({ host }: MountedHost): number {
  const log = readFileSync(join(host.runDir, 'intermezzo0', 'shared.log'), 'utf8');
  return log.split('was being written: closed').length - 1;
}
