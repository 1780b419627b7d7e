import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLower, type LowerMount, type LowerRequest } from '../cache/index.js';
import type { Binding, MountOptions } from '../config/index.js';
import type { FuseBinding } from '../fuse/port.js';
import { openLogs, type FilesetLogs } from '../journal/index.js';
import { isTreeContents } from '../psdev/tree-contents.js';
import { META_DIRECTORY } from '../model/names.js';
import type { DebugLevel } from '../system/log.js';
import { adoptTree } from './mounting/adoption.js';
import { serveMount } from './mounting/bindings.js';
import { PrestoControl } from './control/server.js';
import { untilUnmounted } from './mounting/ending.js';
import { removeMountedState, socketPath, writeMountedState } from './mounting/mounted-state.js';
import { redoName } from './peers/patch-file.js';
import { Presto, type PrestoLog } from './presto.js';
import { PsdevServer } from './psdev-server.js';
import { recover } from './mounting/recovery.js';
import type { Starter } from './mounting/starting.js';

/** What one presto is to mount. All paths are absolute. */
export interface PrestoRequest {
  /** Image file or block device. */
  readonly device: string;
  readonly mountPoint: string;
  readonly fileset: string;
  /** The psdev's own name: `intermezzo0`. */
  readonly psdev: string;
  readonly runDir: string;
  readonly loop: boolean;
  readonly cacheType: MountOptions['cacheType'];
  readonly binding: Binding;
  /** How long updates wait for a permit before the host counts as cut off. */
  readonly upcallMs: number;
  /** What it begins with; see `Running`. */
  readonly debugLevel: number;
  /** For programs. What comes from other hosts is applied all the same, and the logs are looked after. */
  readonly readOnly: boolean;
  readonly nosuid: boolean;
  readonly nodev: boolean;
  readonly noexec: boolean;
}

/** What a presto is run with. */
export interface Running {
  /** How much is logged; it may be changed from outside. */
  readonly debug: DebugLevel;
  /** Ends it in order, with the mount: see untilUnmounted. Its reason is for the log. */
  readonly stop: AbortSignal;
  /** Mounts the cache, and refuses one that does not keep the order; the test of power losses has another. */
  readonly acquire?: (request: LowerRequest) => Promise<LowerMount>;
}

/**
 * A presto from its begin to its end: the cache is mounted where only root reaches it, its logs are opened and recovered,
 * the file system is mounted, the psdev opened. Ends when somebody unmounts, or at `stop`.
 * @param starter hears how far it is, and that the mount answers
 * @throws IzoError, before it is ready: then nothing is left mounted
 */
export async function runPresto(
  request: PrestoRequest,
  log: PrestoLog,
  starter: Starter,
  { debug, stop, acquire = acquireLower }: Running,
): Promise<void> {
  // Modes are the callers' business, and so is the umask that comes with each request.
  process.umask(0);
  const lower = await acquire(request);
  try {
    const logs = openLogs(lower.rootFd, request.fileset, undefined, (recno) => {
      starter.progress(() => `reading the whole log: record ${recno}`);
    });
    try {
      await serve(request, lower, logs, log, starter, { debug, stop });
    } finally {
      logs.close();
    }
  } finally {
    await lower.release();
    // Last: whoever mounts again at once finds by it that there is somebody to wait for.
    removeMountedState(request.runDir, request.psdev, request.fileset);
  }
}

async function serve(
  request: PrestoRequest,
  lower: LowerMount,
  logs: FilesetLogs,
  log: PrestoLog,
  starter: Starter,
  { debug, stop }: Running,
): Promise<void> {
  const { runDir, psdev, fileset, mountPoint } = request;
  const presto = new Presto(lower.rootFd, lower.stageFd, logs, log, {
    ...request,
    lowerPath: lower.path,
  });
  const merged = await presto.merger.finish();
  if (merged) log('info', 'recovery: finished a merge that was interrupted');
  recover(presto, merged);
  const adopted = adoptTree(presto, (objects) => {
    starter.progress(() => `journaling what was there before the log: ${objects} objects`);
  });
  if (adopted > 0) log('info', `journaled ${adopted} objects that were there before the log`);
  emptyStage(lower.path, fileset, presto);
  const { device: source, readOnly, nosuid, nodev, noexec } = request;
  const mountOptions = { nosuid, nodev, noexec };
  const mount = { source, mountPoint, readOnly, mountOptions, log };
  let binding: FuseBinding | undefined;
  let control: PrestoControl | undefined;
  try {
    binding = await serveMount(presto, request.binding, mount);
    const socket = socketPath(runDir, psdev, fileset);
    const identity = { fileset, lowerPath: lower.path, mountPoint, pid: process.pid };
    const server = await PsdevServer.listen(presto, socket, identity);
    control = await PrestoControl.listen(presto, request, debug);
    presto.announce = server.announce;
    presto.want = server.want;
    writeMountedState(runDir, {
      psdev,
      fileset,
      pid: process.pid,
      device: request.device,
      mountPoint,
      lowerPath: lower.path,
      loopDevice: lower.loopDevice,
    });
    starter.ready(binding.kind);
    await untilUnmounted(binding, mount, log, stop);
    await server.close();
  } catch (error) {
    await binding?.unmount(true);
    throw error;
  } finally {
    control?.close();
    presto.close();
    logs.kml.release();
  }
}

/** Contents that were on their way when presto or lento ended are fetched anew, but for those of a resync. */
function emptyStage(lowerPath: string, fileset: string, { logs }: Presto): void {
  const stage = join(lowerPath, META_DIRECTORY, fileset, 'stage');
  const installing = logs.lml.leftovers().filter(({ entry }) => entry.state === 'installing');
  const needed = installing.map(({ entry }) => redoName(entry.stamp));
  for (const name of readdirSync(stage)) {
    if (needed.includes(name) || isTreeContents(name)) continue;
    rmSync(join(stage, name), { force: true, recursive: true });
  }
}
