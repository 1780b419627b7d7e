import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plan } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { DEFAULT_CONFIG_DIRECTORY } from '../system/directories.js';
import { run } from '../system/processes.js';

/** Where systemd looks for units, see systemd.unit(5). */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Is there while systemd runs this host, see sd_booted(3). */
const RUNNING = '/run/systemd/system';

/** Whether `izo install` has made lento a service of this host, and systemd runs it. */
export function hasService(
  directories: readonly string[] = UNIT_DIRECTORIES,
  running = RUNNING,
): boolean {
  return existsSync(running) && directories.some((each) => existsSync(join(each, 'lento.service')));
}

/**
 * The units of the lentos that a plan is about: `lento.service` for sysid, `lento@NAME.service` for sysid.NAME. None
 * where the configuration is not the one that services read.
 */
export function unitsOf({ configDir, sysids }: Plan): string[] {
  if (configDir !== DEFAULT_CONFIG_DIRECTORY) return [];
  return [...sysids.keys()]
    .filter((path) => dirname(path) === configDir)
    .map((path) => {
      const instance = /^sysid\.(.+)$/.exec(basename(path))?.[1];
      return instance === undefined ? 'lento.service' : `lento@${instance}.service`;
    });
}

/**
 * Has lentos run now, with the configuration of now, and after every boot.
 * @throws IzoError service-failed: what was configured is, but a lento does not run
 */
export async function startServices(units: readonly string[]): Promise<void> {
  for (const unit of units) {
    try {
      await run('systemctl', ['enable', '--now', unit]);
      // One that ran already has read the files of before.
      await run('systemctl', ['reload-or-restart', unit]);
    } catch (cause) {
      if (!(cause instanceof IzoError)) throw cause;
      throw new IzoError(
        'service-failed',
        `all is configured, but ${unit} does not run: ${cause.message}`,
        {
          remedy: `journalctl -u ${unit}`,
          cause,
        },
      );
    }
  }
}
