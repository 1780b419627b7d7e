import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, run } from '../../src/core/system/processes.js';
import { findMountAt } from '../../src/core/system/mounts.js';
import { checkCache } from '../support/check-cache.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

const WRITERS = 4;
/** Makes files and appends to one that stays open, in its working directory, until that fails. */
const WRITER =
  'exec 5>>long; i=0; while echo $i >&5 && echo $i > f$i; do i=$((i+1)); sleep 0.005; done';

describe('presto ended by a signal', function () {
  this.timeout(60_000).slow(20_000);
  let mounted: MountedHost;
  let writers: ChildProcess[] = [];

  beforeEach(async () => {
    mounted = await MountedHost.make('256M');
    await mounted.mount();
  });

  afterEach(async () => {
    for (const writer of writers) writer.kill('SIGKILL');
    writers = [];
    await mounted.remove();
  });

  const startWriters = () => {
    for (let i = 0; i < WRITERS; i++) {
      const cwd = join(mounted.mountPoint, `w${i}`);
      mkdirSync(cwd);
      writers.push(spawn('sh', ['-c', WRITER], { cwd, stdio: 'ignore' }));
    }
  };

  const writersEnd = () =>
    Promise.all(
      writers.map(async (writer) => {
        while (writer.exitCode === null && writer.signalCode === null) await sleep(10);
      }),
    );

  /** Sends the signal, waits for the end of presto. @returns what it said */
  const end = async (signal: NodeJS.Signals): Promise<string> => {
    const { pid, lowerPath, mountPoint } = mounted.state;
    process.kill(pid, signal);
    for (let i = 0; isRunning(pid); i++) {
      assert.ok(i < 2000, 'presto does not end');
      await sleep(10);
    }
    assert.equal(findMountAt(mountPoint), undefined);
    assert.equal(findMountAt(lowerPath), undefined);
    const { stdout } = await run('losetup', ['--associated', mounted.image]);
    assert.equal(stdout, '');
    const directory = join(mounted.host.runDir, 'intermezzo0');
    assert.ok(!readdirSync(directory).some((name) => name.endsWith('.json')));
    return readFileSync(join(directory, `${FILESET}.log`), 'utf8');
  };

  for (const signal of ['SIGINT', 'SIGHUP'] as const) {
    it(`${signal}: at once where nobody uses the mount`, async () => {
      const begin = performance.now();
      assert.match(await end(signal), new RegExp(`${signal}: unmounting`));
      assert.ok(performance.now() - begin < 2500);
      await checkCache(mounted.image, FILESET);
    });
  }

  it('SIGTERM: writers are served on for a while, then cut off; log and tree agree', async () => {
    startWriters();
    await sleep(300);
    assert.match(await end('SIGTERM'), /they are cut off/);
    await writersEnd();
    const { objects } = await checkCache(mounted.image, FILESET);
    assert.ok(objects > WRITERS * 10, `${objects} objects`);
    await mounted.mount();
    for (let i = 0; i < WRITERS; i++) {
      const lines = readFileSync(join(mounted.mountPoint, `w${i}`, 'long'), 'utf8').split('\n');
      assert.deepEqual(lines.slice(0, -1), [...lines.keys()].slice(0, -1).map(String));
    }
  });

  it('SIGTERM: ends as soon as the last writer has', async () => {
    startWriters();
    await sleep(300);
    const stop = setTimeout(() => {
      for (const writer of writers) writer.kill('SIGTERM');
    }, 500);
    assert.doesNotMatch(await end('SIGTERM'), /cut off/);
    clearTimeout(stop);
    await checkCache(mounted.image, FILESET);
  });
});
