import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that keeps a mount from being unmounted. */
export interface MountUser {
  readonly pid: number;
  /** Its name, as proc_pid_comm(5) has it. */
  readonly command: string;
}

/**
 * Processes that have something below a directory as their working or root directory, open, or mapped; at most `most`, this
 * one not. By the names that /proc has for it, so the file system itself is not asked; whoever came to it by another mount
 * namespace's path is not found.
 */
export function usersOf(directory: string, most: number): MountUser[] {
  const users: MountUser[] = [];
  for (const pid of list('/proc').map(Number)) {
    if (users.length === most) break;
    if (!Number.isInteger(pid) || pid === process.pid || !uses(`/proc/${pid}`, directory)) continue;
    users.push({ pid, command: read(`/proc/${pid}/comm`).trim() });
  }
  return users;
}

function uses(process: string, directory: string): boolean {
  const isBelow = (path: string) => path === directory || path.startsWith(`${directory}/`);
  if (isBelow(link(`${process}/cwd`)) || isBelow(link(`${process}/root`))) return true;
  if (list(`${process}/fd`).some((fd) => isBelow(link(`${process}/fd/${fd}`)))) return true;
  return read(`${process}/maps`).includes(` ${directory}/`);
}

// What cannot be read is somebody else's, or has ended meanwhile.

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
