import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { O_PATH } from '../../src/core/system/files.js';
import { fillUp } from '../support/filler.js';
import { MountedHost } from '../support/mounted-host.js';

const BLOCK = Buffer.alloc(64 * 1024, 'b');

describe('a full disk has room again when a file is removed', function () {
  this.timeout(60_000);
  let mounted: MountedHost;

  before(async () => {
    mounted = await MountedHost.make('16M');
    await mounted.mount();
  });

  after(async () => {
    await mounted.remove();
  });

  it('for who writes at once, before the kernel has said that nobody needs the file any more', async () => {
    const at = (name: string): string => join(mounted.mountPoint, name);
    writeFileSync(at('large'), Buffer.alloc(2 ** 20));
    const again = await open(at('again'), 'w');
    // It keeps the kernel from forgetting the file, and its end is nothing that presto is asked for.
    const keeper = openSync(at('large'), O_PATH);
    const ends = fillUp(mounted.mountPoint);
    assert.ok(ends.length > 0 && ends.every((end) => end === 'ENOSPC'), ends.join(' '));
    unlinkSync(at('large'));
    const { pid } = mounted.state;
    process.kill(pid, 'SIGSTOP');
    try {
      const written = again.write(BLOCK);
      // First the write is in the kernel's queue, then the FORGET.
      await sleep(100);
      closeSync(keeper);
      process.kill(pid, 'SIGCONT');
      assert.equal((await written).bytesWritten, BLOCK.length);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await again.close();
    assert.ok(readFileSync(at('again')).equals(BLOCK));
  });

  it('and none while a program has the removed file open', async () => {
    const at = (name: string): string => join(mounted.mountPoint, name);
    writeFileSync(at('held'), Buffer.alloc(512 * 1024));
    const held = await open(at('held'), 'r');
    fillUp(mounted.mountPoint);
    unlinkSync(at('held'));
    await assert.rejects(
      (async () => {
        const file = await open(at('more'), 'w');
        try {
          await file.write(BLOCK);
        } finally {
          await file.close();
        }
      })(),
      { code: 'ENOSPC' },
    );
    await held.close();
    writeFileSync(at('more'), BLOCK);
    await mounted.unmountAndCheck();
  });
});
