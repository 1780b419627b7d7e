import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../src/core/model/errors.js';
import { findMountAt } from '../../src/core/system/mounts.js';
import { isRunning, run } from '../../src/core/system/processes.js';
import { checkCache } from '../support/check-cache.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

const WRITERS = 3;
/** Two commands, on a busy machine: nothing waits for what never comes. */
const HUNG_MS = 30_000;
/** Works in `$1` from outside of the mount: what is open there is closed again at once, and nothing else holds it. */
const WRITER =
  'i=0; while mkdir "$1/d$i" && echo $i > "$1/d$i/f" && echo $i >> "$1/all"; do i=$((i+1)); sleep 0.2; done 2>/dev/null';

describe('a mount that is ended while programs work on it', function () {
  this.timeout(120_000).slow(20_000);
  let mounted: MountedHost;
  let writers: ChildProcess[] = [];

  beforeEach(async () => {
    mounted = await MountedHost.make('128M');
    await mounted.mount();
  });

  afterEach(async () => {
    for (const writer of writers) writer.kill('SIGKILL');
    writers = [];
    await mounted.remove();
  });

  const start = (): void => {
    for (let index = 0; index < WRITERS; index++) {
      const directory = join(mounted.mountPoint, `w${index}`);
      mkdirSync(directory);
      writers.push(spawn('sh', ['-c', WRITER, 'sh', directory], { cwd: '/', stdio: 'ignore' }));
    }
  };

  const refuses = (act: () => Promise<unknown>): Promise<boolean> =>
    act().then(
      () => false,
      (error: unknown) => {
        assert.ok(error instanceof IzoError);
        assert.match(error.message, /busy|in use/);
        return true;
      },
    );

  /** Tried until no program is inside in that very moment, as with any file system. */
  async function unmounted(act: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; await refuses(act); tries++) {
      assert.ok(tries < 500, 'it is always busy');
      assert.ok(findMountAt(mounted.mountPoint) !== undefined, 'refused, and yet gone');
    }
  }

  const WAYS = {
    umountizo: () => mounted.host.izo(['umountizo', mounted.mountPoint]),
    'umount(8)': () => run('umount', ['-i', mounted.mountPoint]),
  };
  for (const [way, act] of Object.entries(WAYS)) {
    it(`${way} refuses or ends it whole: nothing is lost, nothing half done`, async () => {
      const { pid } = mounted.state;
      start();
      await sleep(300);
      await unmounted(act);
      // The writers go on in the empty directory below; nothing of that is the fileset's.
      for (const writer of writers) writer.kill('SIGKILL');
      for (let tries = 0; isRunning(pid); tries++) {
        assert.ok(tries < 2_000, 'presto does not end');
        await sleep(10);
      }
      await checkCache(mounted.image, FILESET);
      await mounted.mount();
      for (let index = 0; index < WRITERS; index++) {
        const directory = join(mounted.mountPoint, `w${index}`);
        const made = readdirSync(directory).filter((name) => name.startsWith('d')).length;
        const lines = readFileSync(join(directory, 'all'), 'latin1').trim().split('\n').length;
        // Of the last round any part may be missing, but no more.
        assert.ok(made - lines <= 1, `${made} directories, ${lines} lines`);
      }
      await mounted.unmount();
    });
  }

  it('is refused while a file is open, and what is written to that is there', async () => {
    const path = join(mounted.mountPoint, 'open');
    const words = ['-c', 'exec 5>"$1"; read go; echo written >&5', 'sh', path];
    const holder = spawn('sh', words, { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
    writers.push(holder);
    while (!existsSync(path)) await sleep(10);
    for (const act of Object.values(WAYS)) assert.ok(await refuses(act));
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.stdin.end('\n');
    await gone;
    assert.equal(readFileSync(path, 'latin1'), 'written\n');
    await mounted.unmountAndCheck();
  });

  it('says that presto is stopped, and changes nothing; by force it is ended, and nothing is lost', async () => {
    const { mountPoint, state, host } = mounted;
    writeFileSync(join(mountPoint, 'file'), 'contents');
    const inside = spawn('sleep', ['60'], { cwd: mountPoint, stdio: 'ignore' });
    writers.push(inside);
    await once(inside, 'spawn');
    process.kill(state.pid, 'SIGSTOP');
    const begun = Date.now();
    await assert.rejects(host.izo(['umountizo', mountPoint]), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`presto \\(pid ${state.pid}\\) is stopped.*kill -CONT`, 's'),
      );
      return true;
    });
    assert.ok(findMountAt(mountPoint) !== undefined);
    await host.izo(['umountizo', '--force', mountPoint]);
    assert.ok(Date.now() - begun < HUNG_MS, `it took ${Date.now() - begun} ms`);
    assert.equal(isRunning(state.pid), false);
    assert.equal(findMountAt(mountPoint), undefined);
    assert.equal(findMountAt(state.lowerPath), undefined);
    await mounted.mount();
    assert.equal(readFileSync(join(mountPoint, 'file'), 'latin1'), 'contents');
    await mounted.unmountAndCheck();
  });
});
