import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../../src/core/model/errors.js';
import type { MountedState } from '../../../src/core/presto/mounting/mounted-state.js';
import { waitForPresto } from '../../../src/core/presto/mounting/patience.js';

const IDLE_MS = 300;

describe('waiting for a presto', () => {
  const started: ChildProcess[] = [];

  afterEach(() => {
    for (const child of started) child.kill('SIGKILL');
    started.length = 0;
  });

  /** A process that passes for one: it has the word among its arguments. */
  function pretend(script: string): MountedState {
    const child = spawn('sh', ['-c', script, 'presto'], { stdio: ['pipe', 'ignore', 'ignore'] });
    started.push(child);
    assert.ok(child.pid !== undefined);
    const paths = { device: '/img', mountPoint: '/izo0', lowerPath: '/nowhere' };
    return { psdev: 'p', fileset: 'f', pid: child.pid, loopDevice: undefined, ...paths };
  }

  const wait = (state: MountedState, done = () => false) =>
    waitForPresto(state, done, undefined, IDLE_MS);

  it('lasts as long as it does something', async () => {
    const busy = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; echo; done';
    const begun = performance.now();
    await wait(pretend(busy));
    assert.ok(performance.now() - begun > 2 * IDLE_MS);
  });

  it('ends when what is waited for is there', async () => {
    let asked = 0;
    await wait(pretend('read word'), () => ++asked === 3);
    assert.equal(asked, 3);
  });

  it('ends with words for what it does not do', async () => {
    const idle = pretend('read word');
    const fails = (words: RegExp) => (error: unknown) =>
      error instanceof IzoError && error.code === 'presto-lingers' && words.test(error.message);
    await assert.rejects(wait(idle), fails(/has done nothing|is at work/));
    process.kill(idle.pid, 'SIGSTOP');
    await sleep(10);
    await assert.rejects(wait(idle), fails(/is stopped/));
  });
});
