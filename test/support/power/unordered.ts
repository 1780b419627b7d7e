import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LOG_NAMES } from '../../../src/core/cache/fileset-directory.js';
import type { PrestoRequest } from '../../../src/core/presto/daemon.js';
import { FS_JOURNAL_DATA_FL } from '../../../src/core/system/inode-flags.js';
import { run } from '../../../src/core/system/processes.js';
import { FILESET, type MountedHost } from '../mounted-host.js';

const PROGRAM = fileURLToPath(new URL('unordered-presto.ts', import.meta.url));

/**
 * Takes the flag +j from the logs of a cache that is not mounted, and mounts it nevertheless. @returns what unmounts it:
 * izo does not know this presto
 */
export async function mountUnordered(mounted: MountedHost): Promise<() => Promise<void>> {
  const { image, mountPoint, type, host } = mounted;
  for (const name of LOG_NAMES) await removeFlag(image, `/.intermezzo/${FILESET}/${name}`);
  mkdirSync(join(host.runDir, 'intermezzo0'), { recursive: true });
  const request: PrestoRequest = {
    device: image,
    mountPoint,
    fileset: FILESET,
    psdev: 'intermezzo0',
    runDir: host.runDir,
    loop: true,
    cacheType: type,
    binding: 'device',
    upcallMs: 30_000,
    debugLevel: 0,
    readOnly: false,
    nosuid: true,
    nodev: true,
    noexec: true,
  };
  const args = ['--import', 'tsx', PROGRAM, JSON.stringify(request)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code) => {
      resolve(`the unordered presto ended with ${code ?? 'a signal'}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', () => {
      resolve();
    });
    void ended.then((how) => {
      reject(new Error(how));
    });
  });
  return async () => {
    await run('umount', [mountPoint]);
    await ended;
  };
}

async function removeFlag(image: string, path: string): Promise<void> {
  const { stdout } = await run('debugfs', ['-R', `stat ${path}`, image]);
  const flags = Number.parseInt(/Flags:\s+(0x[0-9a-f]+)/i.exec(stdout)?.[1] ?? '', 16);
  const wanted = `0x${(flags & ~FS_JOURNAL_DATA_FL).toString(16)}`;
  await run('debugfs', ['-w', '-R', `set_inode_field ${path} flags ${wanted}`, image]);
}
