import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { IzoError } from '../../model/errors.js';

/**
 * The compiled half of the package fuse-native, version 2.2.6, which runs libfuse 2 in threads of its own and brings each
 * request to the event loop. Its other half, in JavaScript, is left out: it gives up requests after 15 seconds, answers
 * extended attributes beyond their buffers, and asks by path for the attributes of open files.
 */
export interface Addon {
  readonly threadBytes: number;
  mount(
    mountPoint: string,
    options: string,
    thread: Buffer,
    context: object,
    allocate: (bytes: number) => Buffer,
    handlers: readonly AddonHandler[],
    implemented: Uint32Array,
  ): void;
  /** Lets the event loop end. Unmounts nothing. */
  letGo(mountPoint: string, thread: Buffer): void;
  /** The number of a request by libfuse's name for it. */
  opcode(name: string): number;
  /** Answers a request: at once, or later. Further arguments are the request's own. */
  signal(name: string): (request: Buffer, result: number, ...more: unknown[]) => void;
}

/** `request` is the memory of the addon's own notes of it, see request-memory.ts. */
export type AddonHandler = (request: Buffer, opcode: number, ...args: unknown[]) => void;

/** What sizes its tables have. */
export const OPCODES = 35;

type Exported = (...args: unknown[]) => unknown;

/** `from`: the module that wants it. @throws IzoError where the package or libfuse 2 is not there */
export function loadAddon(from: string = import.meta.url): Addon {
  const raw = load(from);
  const call = (name: string): Exported => {
    const found = raw[name];
    if (typeof found === 'function') return found as Exported;
    throw missing(`it has no ${name}`);
  };
  const number = (name: string): number => {
    const found = raw[name];
    if (typeof found === 'number') return found;
    throw missing(`it has no ${name}`);
  };
  return {
    threadBytes: number('sizeof_fuse_thread_t'),
    mount: call('fuse_native_mount'),
    letGo: call('fuse_native_unmount'),
    opcode: (name) => number(`op_${name}`),
    signal: (name) => call(`fuse_native_signal_${name}`),
  };
}

function load(from: string): Record<string, unknown> {
  try {
    const home = createRequire(from).resolve('fuse-native');
    // It finds the build for this machine as the package itself does.
    const build = createRequire(home)('node-gyp-build') as (directory: string) => unknown;
    return build(dirname(home)) as Record<string, unknown>;
  } catch (error) {
    throw missing(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}

function missing(why: string): IzoError {
  return new IzoError('no-native-binding', `the native binding cannot be used: ${why}`, {
    remedy:
      'Install libfuse 2 (Debian: apt-get install libfuse2) and `npm install fuse-native@2.2.6`, or mount with binding=device.',
  });
}
