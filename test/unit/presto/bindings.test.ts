import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Binding } from '../../../src/core/config/index.js';
import type { FuseBinding } from '../../../src/core/fuse/port.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { serveMount } from '../../../src/core/presto/mounting/bindings.js';
import { E, SystemError } from '../../../src/core/system/errno.js';
import { findMountAt } from '../../../src/core/system/mounts.js';
import { MemoryTree } from '../../support/fuse/memory-tree.js';

/** Mounts as presto does, where serving over the device fails with `reason`. @returns how it went */
async function serve(
  wanted: Binding,
  reason: Error,
): Promise<{ kind: string; tried: string[]; messages: string[] }> {
  const mountPoint = mkdtempSync(join(tmpdir(), 'izo-binding-'));
  const tried: string[] = [];
  const messages: string[] = [];
  const presto = {
    serve: async (binding: FuseBinding) => {
      tried.push(binding.kind);
      if (binding.kind === 'device') throw reason;
      await binding.serve(new MemoryTree());
    },
  };
  const log = (level: string, message: string) => messages.push(`${level}: ${message}`);
  const request = { source: 'izo-test', mountPoint, readOnly: false, log };
  try {
    const binding = await serveMount(presto, wanted, request);
    assert.equal(findMountAt(mountPoint)?.type, 'fuse.InterMezzo');
    await binding.unmount(false);
    await binding.unmounted;
    return { kind: binding.kind, tried, messages };
  } catch (error) {
    assert.equal(error, reason);
    return { kind: 'none', tried, messages };
  } finally {
    assert.equal(findMountAt(mountPoint), undefined);
    rmdirSync(mountPoint);
  }
}

/** fuse-native has builds for x86-64 only. */
const describeNative = process.arch === 'x64' && existsSync('/dev/fuse') ? describe : undefined;

describeNative?.('the binding', () => {
  const tooOld = new IzoError('kernel-too-old', 'this kernel speaks FUSE 7.26', {});
  const forbidden = new SystemError('mount', E.EPERM, '/mnt');

  for (const reason of [tooOld, forbidden]) {
    it(`auto: is native where the device fails: ${reason.message}`, async () => {
      const { kind, tried, messages } = await serve('auto', reason);
      assert.deepEqual([kind, tried], ['native', ['device', 'native']]);
      assert.ok(messages.includes(`warn: ${reason.message}: trying the native binding`));
      assert.ok(messages.includes('info: the binding is native'));
      assert.ok(messages.some((message) => message.startsWith('warn: native binding: ')));
    });
  }

  it('auto: fails where that is no reason for the native one', async () => {
    const { kind, tried } = await serve('auto', new SystemError('open', E.EMFILE, '/dev/fuse'));
    assert.deepEqual([kind, tried], ['none', ['device']]);
  });

  it('device: is that or none', async () => {
    const { kind, tried } = await serve('device', tooOld);
    assert.deepEqual([kind, tried], ['none', ['device']]);
  });
});
