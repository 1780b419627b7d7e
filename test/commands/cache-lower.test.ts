import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loopDevicesOf } from '../../src/core/cache/index.js';
import { hasDataJournalFlag, openLogs } from '../../src/core/journal/index.js';
import { EXIT } from '../../src/core/model/exit-codes.js';
import { findMountAt } from '../../src/core/system/mounts.js';
import { run } from '../../src/core/system/processes.js';
import { CacheScratch, TYPES, failsWith, namesIn } from './cache-support.js';

const MODULE = fileURLToPath(new URL('../../src/core/cache/index.ts', import.meta.url));

describe('a cache that is mounted for presto', function () {
  this.timeout(60_000);
  let scratch: CacheScratch;
  beforeEach(() => {
    scratch = new CacheScratch();
  });
  afterEach(() => scratch.check());

  for (const type of TYPES) {
    for (const fileset of ['shared', undefined]) {
      const how = fileset === undefined ? 'by its first mount' : 'when it was made';
      it(`has journaled logs on ${type}, named ${how}`, async () => {
        const image = await scratch.cache(type, fileset);
        const lower = await scratch.take(image);
        const mount = findMountAt(lower.path);
        assert.equal(mount?.type, type);
        assert.ok(mount.options.includes('noatime'));
        assert.equal(mount.options.includes('nodelalloc'), type === 'ext4');
        assert.equal(statSync(join(lower.path, '..')).mode & 0o777, 0o700);
        assert.equal(lower.path, join(scratch.runDir, 'lower', 'intermezzo0.shared'));
        assert.deepEqual(await loopDevicesOf(image), [lower.loopDevice]);
        const logs = openLogs(lower.rootFd, 'shared');
        logs.close();
        assert.equal(logs.identity.fileset, 'shared');
        const stage = join(lower.path, '.intermezzo/shared/stage');
        assert.equal(statSync(`/proc/self/fd/${lower.stageFd}`).ino, statSync(stage).ino);
        const kml = openSync(join(lower.path, '.intermezzo/shared/kml'), 'r');
        assert.ok(hasDataJournalFlag(kml));
        closeSync(kml);
        await lower.release();
        await scratch.assertReleased();
        assert.deepEqual(await namesIn(image, '/.intermezzo'), ['shared']);
        await run('e2fsck', ['-fn', image]);
      });
    }
  }

  it('keeps its files and its identity from one time to the next', async () => {
    const image = await scratch.cache('ext4');
    const first = await scratch.take(image);
    const logs = openLogs(first.rootFd, 'shared');
    logs.close();
    writeFileSync(join(first.path, 'file'), 'precious');
    await first.release();
    const second = await scratch.take(image);
    const again = openLogs(second.rootFd, 'shared');
    again.close();
    assert.equal(again.replica, logs.replica);
    assert.equal(again.wasReset, false);
    assert.ok(existsSync(join(second.path, 'file')));
    await second.release();
  });

  it('may be a block device, which stays attached', async () => {
    const image = await scratch.cache('ext3', 'shared');
    const { stdout: loop } = await run('losetup', ['--find', '--show', image]);
    const lower = await scratch.take(loop);
    assert.equal(lower.loopDevice, undefined);
    await lower.release();
    assert.deepEqual(await loopDevicesOf(image), [loop]);
    await run('losetup', ['-d', loop]);
  });

  it('is given to one only, whatever they call it', async () => {
    const image = await scratch.cache();
    const results = await Promise.allSettled([
      scratch.take(image),
      scratch.take(image, { psdev: 'intermezzo1' }),
      scratch.take(image, { runDir: join(scratch.path, 'run2') }),
    ]);
    const got = results.filter((result) => result.status === 'fulfilled');
    assert.equal(got.length, 1);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      assert.ok(failsWith('cache-busy', { exit: EXIT.busy })(result.reason), String(result.reason));
    }
    assert.equal((await loopDevicesOf(image)).length, 1);
    await got[0]!.value.release();
    await (await scratch.take(image)).release();
  });

  it('says where it is mounted by somebody else', async () => {
    const image = await scratch.cache();
    const at = join(scratch.path, 'elsewhere');
    mkdirSync(at);
    await run('mount', ['-o', 'loop,ro', image, at]);
    const expected = failsWith('cache-busy', {
      exit: EXIT.busy,
      pattern: /mounted at .*elsewhere.*umount/,
    });
    await assert.rejects(scratch.take(image), expected);
    assert.ok(findMountAt(at) !== undefined, 'the mount of somebody else was ended');
    await run('umount', [at]);
  });

  it('is taken over from a presto that was killed', async () => {
    const image = await scratch.cache('ext4', 'shared');
    const script = `
      const { acquireLower } = await import(${JSON.stringify(MODULE)});
      await acquireLower(${JSON.stringify(scratch.requestFor(image))});
      process.kill(process.pid, 'SIGKILL');`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const signal = await new Promise((done) => child.once('exit', (_, name) => done(name)));
    assert.equal(signal, 'SIGKILL');
    const left = await scratch.leftovers();
    assert.equal(left.length, 2, `one mount and one loop device: ${left.join(' ')}`);
    const lower = await scratch.take(image);
    assert.equal(lower.loopDevice, left[1]);
    const logs = openLogs(lower.rootFd, 'shared');
    logs.close();
    await lower.release();
  });

  it('is mounted again while somebody still looks at its loop device', async () => {
    const image = await scratch.cache('ext4', 'shared');
    for (const delay of [0, 5, 10, 20, 40]) {
      const lower = await scratch.take(image);
      const looking = openSync(lower.loopDevice!, 'r');
      await lower.release();
      assert.deepEqual(await scratch.leftovers(), [lower.loopDevice]);
      // The device goes with this, just when it is found or has been found.
      setTimeout(() => closeSync(looking), delay);
      await (await scratch.take(image)).release();
    }
  });

  it('uses a loop device that was left attached', async () => {
    const image = await scratch.cache();
    const { stdout: loop } = await run('losetup', ['--find', '--show', image]);
    const lower = await scratch.take(image);
    assert.equal(lower.loopDevice, loop);
    await lower.release();
  });
});
