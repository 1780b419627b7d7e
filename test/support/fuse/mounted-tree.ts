import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { mountDevice } from '../../../src/core/fuse/device/binding.js';
import type { MountRequest } from '../../../src/core/fuse/mount-request.js';
import type { FuseBinding } from '../../../src/core/fuse/port.js';
import { MemoryTree } from './memory-tree.js';

export interface MountedTree {
  readonly tree: MemoryTree;
  readonly binding: FuseBinding;
  readonly mountPoint: string;
  /** What the binding logged. */
  readonly messages: string[];
  /**
   * Runs a shell script with $M as the mount point. Always in another process, and never with its working directory in
   * the mount: whoever serves a mount and waits for it waits for ever. @returns what it printed.
   */
  readonly sh: (script: string) => Promise<string>;
  /** The same, given up or killed from outside: not awaited. */
  readonly start: (script: string) => ReturnType<typeof shell>;
}

const CHILD_MS = 15_000;

function shell(mountPoint: string, script: string) {
  return execa('sh', ['-ec', script], {
    cwd: '/',
    env: { M: mountPoint },
    timeout: CHILD_MS,
    killSignal: 'SIGKILL',
    reject: false,
    all: true,
  });
}

/** Mounts an empty tree for the time of `use`, and takes it away whatever happens. */
export async function withMount(
  use: (mounted: MountedTree) => Promise<void>,
  open: (request: MountRequest) => FuseBinding = mountDevice,
): Promise<void> {
  const mountPoint = mkdtempSync(join(tmpdir(), 'izo-fuse-'));
  const tree = new MemoryTree();
  const messages: string[] = [];
  const binding = open({
    source: 'izo-test',
    mountPoint,
    readOnly: false,
    log: (level, message) => messages.push(`${level}: ${message}`),
  });
  try {
    await binding.serve(tree);
    await use({
      tree,
      binding,
      mountPoint,
      messages,
      start: (script) => shell(mountPoint, script),
      sh: async (script) => {
        const result = await shell(mountPoint, script);
        if (result.failed) throw new Error(`${script}: ${result.all}`);
        return result.stdout;
      },
    });
  } finally {
    tree.parking.clear();
    tree.throwing.clear();
    binding.resumeParked();
    // Fails where the test has unmounted itself.
    await binding.unmount(true).catch(() => undefined);
    await Promise.race([binding.unmounted, sleep(5_000, undefined, { ref: false })]);
    rmdirSync(mountPoint);
  }
}

/** Waits until something is so. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`never: ${what}`);
}
