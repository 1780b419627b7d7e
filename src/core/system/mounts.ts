import { readFileSync, statSync } from 'node:fs';
import { decodeDevice } from './device-numbers.js';

/** A mount, as proc_pid_mountinfo(5) has it. */
export interface Mount {
  /** `major:minor` of the file system. */
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  /** Per mount and per file system. */
  readonly options: readonly string[];
}

/** Lines that cannot be understood are left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ', 2);
    const fields = left.split(' ');
    const [type = '', source = '', superOptions = ''] = right.split(' ');
    const [, , device, , mountPoint, options] = fields;
    if (device === undefined || mountPoint === undefined || options === undefined) return [];
    return [
      {
        device,
        mountPoint: unescape(mountPoint),
        type,
        source: unescape(source),
        options: [...options.split(','), ...superOptions.split(',')],
      },
    ];
  });
}

/** Blanks, tabs, line ends and backslashes are written as octal numbers. */
function unescape(field: string): string {
  return Buffer.from(
    field.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    ),
    'latin1',
  ).toString('utf8');
}

export function listMounts(): Mount[] {
  // Read as latin1, so that bytes survive until the escapes are undone.
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1'));
}

/** The topmost mount at a place. */
export function findMountAt(mountPoint: string): Mount | undefined {
  return listMounts().findLast((mount) => mount.mountPoint === mountPoint);
}

/** Where a block device is mounted in this mount namespace. */
export function findMountOf(blockDevice: string): Mount | undefined {
  const status = statSync(blockDevice, { throwIfNoEntry: false });
  if (status?.isBlockDevice() !== true) return undefined;
  const { major, minor } = decodeDevice(status.rdev);
  return listMounts().find((mount) => mount.device === `${major}:${minor}`);
}
