import type { Binding } from '../../config/index.js';
import { mountDevice } from '../../fuse/device/binding.js';
import type { MountRequest } from '../../fuse/mount-request.js';
import { NATIVE_LIMITS } from '../../fuse/native/limits.js';
import type { FuseBinding } from '../../fuse/port.js';
import { IzoError } from '../../model/errors.js';
import { SystemError } from '../../system/errno.js';
import type { Presto } from '../presto.js';

type Served = Pick<Presto, 'serve'>;

export type BindingKind = FuseBinding['kind'];

/** What is missing with a binding, a sentence each. */
export function limitsOf(kind: BindingKind): readonly string[] {
  return kind === 'native' ? NATIVE_LIMITS : [];
}

/** Why the device may be out of reach of this process, or of this kernel's version, and yet within libfuse's. */
const UNMOUNTABLE = ['EPERM', 'EACCES', 'ENODEV'];

function canBeNative(error: unknown): boolean {
  if (error instanceof IzoError) return error.code === 'kernel-too-old';
  return error instanceof SystemError && UNMOUNTABLE.includes(error.code);
}

/**
 * Mounts in the way wanted, and serves. `auto`: over the device itself, or where this host does not allow that through
 * fuse-native. @throws IzoError or SystemError; then nothing is mounted
 */
export async function serveMount(
  presto: Served,
  wanted: Binding,
  request: MountRequest,
): Promise<FuseBinding> {
  if (wanted === 'native') return serveBy('native', presto, request);
  try {
    return await serveBy('device', presto, request);
  } catch (error) {
    if (wanted === 'device' || !canBeNative(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    request.log('warn', `${message}: trying the native binding`);
    return serveBy('native', presto, request);
  }
}

async function serveBy(
  kind: BindingKind,
  presto: Served,
  request: MountRequest,
): Promise<FuseBinding> {
  const { log } = request;
  const binding = kind === 'device' ? mountDevice(request) : await openNative(request);
  try {
    await presto.serve(binding);
  } catch (error) {
    await binding.unmount(true).catch(() => undefined);
    throw error;
  }
  log('info', `the binding is ${kind}`);
  for (const limit of limitsOf(kind)) log('warn', `native binding: ${limit}`);
  return binding;
}

/** Loaded only where it is wanted: few hosts have what it needs. */
async function openNative(request: MountRequest): Promise<FuseBinding> {
  const module = await import('../../fuse/native/binding.js');
  return module.openNative(request);
}
