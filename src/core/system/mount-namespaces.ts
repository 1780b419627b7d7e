import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { parseMountinfo, type Mount } from './mounts.js';
import type { MountUser } from './mount-users.js';

/**
 * One process of each other mount namespace that has a mount. Who gets mounts of its own (a container, a service) gets a
 * copy of all there are, and keeps each file system in use that it does not unmount itself.
 */
export function otherNamespacesWith(wanted: (mount: Mount) => boolean): MountUser[] {
  const seen = new Set([namespaceOf('self')]);
  const found: MountUser[] = [];
  for (const pid of readdirSync('/proc')) {
    const namespace = /^\d+$/.test(pid) ? namespaceOf(pid) : undefined;
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    if (!parseMountinfo(read(`/proc/${pid}/mountinfo`)).some(wanted)) continue;
    found.push({ pid: Number(pid), command: read(`/proc/${pid}/comm`).trim() });
  }
  return found;
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** What has ended meanwhile has nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
