import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { PsdevWatch } from '../../src/core/lento/service/psdev-watch.js';
import { endMount } from '../../src/core/presto/mounting/dead-mounts.js';
import { isDying, isRunning } from '../../src/core/system/processes.js';

const PROGRAM = fileURLToPath(new URL('../support/fuse/stuck-presto.ts', import.meta.url));

describe('a presto that is killed while a thread of it waits in the kernel', function () {
  this.timeout(30_000).slow(10_000);
  let directory: string;
  let mountPoint: string;
  let presto: ChildProcess;
  let program: ChildProcess;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'izo-stuck-'));
    mountPoint = join(directory, 'mount');
    mkdirSync(mountPoint);
    const args = ['--import', 'tsx', PROGRAM, mountPoint, join(directory, 'shared.sock')];
    presto = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(presto.stdout!, 'data');
  });

  afterEach(async () => {
    await endMount(mountPoint);
    presto.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  /** What the program is told in the end. */
  async function kill(): Promise<{ ended: Promise<string> }> {
    program = spawn('mkdir', [join(mountPoint, 'new')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    program.stderr!.on('data', (words: Buffer) => (said += words.toString()));
    const ended = once(program, 'close').then(() => said);
    await sleep(300);
    presto.kill('SIGKILL');
    await sleep(300);
    assert.ok(
      isDying(presto.pid!),
      'the thread is not stuck: this test does not test what it is for',
    );
    assert.equal(program.exitCode, null);
    return { ended };
  }

  async function gone(): Promise<void> {
    for (let tries = 0; isRunning(presto.pid!); tries++) {
      assert.ok(tries < 500, 'it is still there');
      await sleep(20);
    }
  }

  it('is freed by lento, and programs are told', async () => {
    const seen: string[] = [];
    const watch = new PsdevWatch({
      directory,
      log: pino({ enabled: false }),
      onMounted: ({ fileset }) => seen.push(`${fileset} is there`),
      onNotice: () => undefined,
      onUnmounted: (fileset) => seen.push(`${fileset} is gone`),
    });
    try {
      await watch.start();
      const { ended } = await kill();
      assert.match(await ended, /Software caused connection abort|not connected/);
      await gone();
      await sleep(50);
      assert.deepEqual(seen, ['shared is there', 'shared is gone']);
    } finally {
      watch.stop();
    }
  });

  it('is freed by whoever cleans up its mount', async () => {
    const { ended } = await kill();
    await endMount(mountPoint);
    assert.match(await ended, /Software caused connection abort|not connected/);
    await gone();
  });
});
