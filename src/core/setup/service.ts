import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../system/processes.js';

export const LENTO_UNIT = 'lento.service';

/** Where systemd looks for units, see systemd.unit(5). */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Whether systemd runs here, see sd_booted(3), and `izo install` has made lento one of its services. */
export function hasService(
  directories: readonly string[] = UNIT_DIRECTORIES,
  running = '/run/systemd/system',
): boolean {
  if (!existsSync(running)) return false;
  return directories.some((directory) => existsSync(join(directory, LENTO_UNIT)));
}

/** Has lento run now, with the configuration of now, and after every boot. @throws IzoError program-failed */
export async function startService(): Promise<void> {
  await run('systemctl', ['enable', '--now', LENTO_UNIT]);
  // One that ran already has read the files of before.
  await run('systemctl', ['reload-or-restart', LENTO_UNIT]);
}
