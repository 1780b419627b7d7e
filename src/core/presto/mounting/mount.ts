import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, lstatSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { cacheBehind } from '../../cache/index.js';
import { psdevName, type MountOptions } from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import {
  isAlive,
  listMounted,
  PRESTO_COMMAND,
  socketPath,
  type MountedState,
} from './mounted-state.js';
import { cancellable } from '../../system/cancellable.js';
import { findMountAt } from '../../system/mounts.js';
import { PROGRAM } from '../../system/package.js';
import type { BindingKind } from './bindings.js';
import type { PrestoRequest } from '../daemon.js';
import { cleanUnknownMount, findDeadMount } from './dead-mounts.js';
import { untilReady } from './starting.js';
import { requireSocketPath } from '../../system/socket-path.js';
import { cleanDeadMount, untilItAnswers, waitForEnd } from './unmount.js';

/**
 * presto keeps some hundred bytes for each file that the kernel keeps a thousand for, until the kernel forgets it for want of
 * memory. It must not run out of its own share before: V8 by itself takes a quarter of a small host's memory at the most.
 */
const HEAP_MIB = Math.floor(totalmem() / 2 ** 21);

/**
 * Mounts a fileset: starts a presto in the background and returns when the mount answers. What a killed presto has left
 * behind is cleaned away first. Mounted already and in the same way: nothing is done.
 * @param onProgress hears from time to time how far a start is that takes long
 * @returns by which binding it is mounted; undefined where it was already. @throws IzoError
 */
export async function mountFileset(
  device: string,
  mountPoint: string,
  options: MountOptions,
  runDir: string,
  onProgress: (words: string) => void = () => undefined,
): Promise<BindingKind | undefined> {
  const request = prestoRequest(device, mountPoint, options, runDir);
  requireSocketPath(socketPath(runDir, request.psdev, request.fileset));
  for (const state of listMounted(runDir)) {
    if (!collides(state, request)) continue;
    // Unmounted a moment ago: `umount /izo0 && mount /izo0` has to work.
    if (isAlive(state.pid) && findMountAt(state.mountPoint) === undefined)
      await waitForEnd(state, onProgress);
    if (isAlive(state.pid)) {
      if (isSameMount(state, request)) {
        refuseDifferences(request);
        await untilItAnswers(state, onProgress);
        return undefined;
      }
      refuseCollision(state, request);
    } else await cleanDeadMount(runDir, state);
  }
  const dead = await findDeadMount(request.mountPoint);
  if (dead !== undefined) await cleanUnknownMount(runDir, dead);
  checkMountPoint(mountPoint);
  return startPresto(request, onProgress);
}

function prestoRequest(
  device: string,
  mountPoint: string,
  options: MountOptions,
  runDir: string,
): PrestoRequest {
  const { fileset, mtpt } = options;
  const fail = (code: string, message: string, remedy: string): never => {
    throw new IzoError(code, message, { exit: EXIT.usage, remedy });
  };
  if (fileset === undefined) {
    return fail('no-fileset', 'the option fileset= is missing', 'Add it: -o fileset=NAME');
  }
  const at = resolve(mountPoint);
  if (mtpt !== undefined && resolve(mtpt) !== at) {
    fail(
      'mtpt-differs',
      `mtpt=${mtpt} is not ${mountPoint}`,
      'Make both the same, or leave mtpt= out.',
    );
  }
  return {
    device: cacheBehind(resolve(device)),
    mountPoint: at,
    fileset,
    psdev: psdevName(options.prestodev),
    runDir,
    loop: options.loop,
    cacheType: options.cacheType,
    binding: options.binding,
    upcallMs: options.upcallMs,
    debugLevel: options.debugLevel,
    readOnly: options.readOnly,
    nosuid: options.nosuid,
    nodev: options.nodev,
    noexec: options.noexec,
  };
}

function isSameMount(state: MountedState, request: PrestoRequest): boolean {
  return (
    state.mountPoint === request.mountPoint &&
    state.device === request.device &&
    state.fileset === request.fileset &&
    state.psdev === request.psdev
  );
}

/** Mounted already, but not as it is wanted now: whoever mounts it must not believe that it is. */
function refuseDifferences(request: PrestoRequest): void {
  const { mountPoint } = request;
  const is = findMountAt(mountPoint)?.options ?? [];
  const wanted = (['nosuid', 'nodev', 'noexec'] as const).filter((word) => request[word]);
  const differences = [
    is.includes('ro') === request.readOnly ? '' : request.readOnly ? 'rw, not ro' : 'ro, not rw',
    ...wanted.map((word) => (is.includes(word) ? '' : `without ${word}`)),
  ].filter((words) => words !== '');
  if (differences.length === 0) return;
  const what = differences.join(', ');
  throw new IzoError('mounted-otherwise', `${mountPoint} is mounted already, but ${what}`, {
    exit: EXIT.busy,
    remedy: `mount -o remount,${request.readOnly ? 'ro' : 'rw'} ${mountPoint}`,
  });
}

function collides(state: MountedState, request: PrestoRequest): boolean {
  return (
    state.mountPoint === request.mountPoint ||
    state.device === request.device ||
    (state.psdev === request.psdev && state.fileset === request.fileset)
  );
}

function refuseCollision(state: MountedState, request: PrestoRequest): never {
  const what = state.device === request.device ? 'it' : state.device;
  const words = `${what} is mounted at ${state.mountPoint}`;
  throw new IzoError(
    'already-mounted',
    `${words} as fileset ${state.fileset} of /dev/${state.psdev}`,
    {
      exit: EXIT.busy,
      place: { file: request.device },
      remedy: `Use that mount, or end it first: izo umountizo ${state.mountPoint}`,
    },
  );
}

function checkMountPoint(mountPoint: string): void {
  const found = statSync(mountPoint, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const isNothing = lstatSync(mountPoint, { throwIfNoEntry: false }) === undefined;
  const what = isNothing ? 'there is no such directory' : 'this is not a directory';
  throw new IzoError('no-mount-point', what, {
    place: { file: mountPoint },
    remedy: isNothing ? `Make it: mkdir -p ${mountPoint}` : 'Move it away, or mount elsewhere.',
  });
}

async function startPresto(
  request: PrestoRequest,
  onProgress: (words: string) => void,
): Promise<BindingKind> {
  const logDirectory = join(request.runDir, request.psdev);
  mkdirSync(logDirectory, { recursive: true, mode: 0o700 });
  const logFd = openSync(join(logDirectory, `${request.fileset}.log`), 'a', 0o600);
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${HEAP_MIB}`, PROGRAM, PRESTO_COMMAND, JSON.stringify(request)],
    // mount(8) gives helpers next to no environment; what is there must not pin the caller's directory.
    { cwd: '/', detached: true, stdio: ['ignore', logFd, logFd, 'pipe'] },
  );
  closeSync(logFd);
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) => {
      done(`presto ended before it was ready (${signal ?? code}); see ${logDirectory}`);
    });
  });
  const pipe = child.stdio[3] as Readable;
  try {
    return await cancellable('nothing is mounted', async (cancelled) => {
      // It takes the mount away again, also one that is ready by then.
      cancelled.addEventListener('abort', () => child.kill('SIGTERM'));
      try {
        const binding = await untilReady(pipe, exited, onProgress);
        if (cancelled.aborted) throw new Error(await exited);
        return binding;
      } catch (error) {
        // Nobody may find it mounted later who was told that it is not.
        child.kill('SIGTERM');
        if (cancelled.aborted) await exited;
        throw error;
      }
    });
  } finally {
    child.unref();
    pipe.destroy();
  }
}
