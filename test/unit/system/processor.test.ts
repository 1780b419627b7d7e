import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { joinProcessorOf } from '../../../src/core/system/processor.js';

/** Where this thread runs, and where it may. */
const processor = (): number =>
  Number(/\) (.*)/.exec(readFileSync('/proc/thread-self/stat', 'latin1'))?.[1]?.split(' ')[36]);
const allowed = (): string | undefined =>
  /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1];

describe('the processor of another thread', () => {
  it('is joined, and everything stays allowed as it was', async () => {
    const before = allowed();
    for (const { at } of cpus().map((_, index) => ({ at: index }))) {
      // It may be that this process is not allowed there: then neither is its child.
      const child = spawn('taskset', ['--cpu-list', `${at}`, 'cat'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      child.stdin.write('x');
      const [code] = await Promise.race([
        once(child.stdout, 'data').then(() => [0]),
        once(child, 'exit'),
      ]);
      try {
        if (code !== 0) continue;
        // Right after it the kernel may move us again.
        let joined = false;
        for (let tries = 0; tries < 50 && !joined; tries++) {
          joinProcessorOf(child.pid ?? 0);
          joined = processor() === at;
        }
        assert.ok(joined, `processor ${at} was not joined`);
      } finally {
        child.kill('SIGKILL');
      }
    }
    assert.equal(allowed(), before);
  });

  it('is nothing to go to where there is no such thread', () => {
    const before = allowed();
    joinProcessorOf(0);
    joinProcessorOf(2 ** 30);
    assert.equal(allowed(), before);
  });
});
