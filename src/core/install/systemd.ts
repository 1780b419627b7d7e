import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../system/processes.js';
import type { Step } from './items.js';

const CONFIGURED = '/etc/systemd/system';

/** Our units, their instances, and nobody else's. */
function isOurs(name: string): boolean {
  return name === 'lento.service' || /^lento@.*\.service$/.test(name);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** The links by which `systemctl enable` has our units started at boot. */
function enabledLinks(root: string, units: ReadonlySet<string>): string[] {
  return namesIn(join(root, CONFIGURED))
    .filter((name) => /\.(wants|requires)$/.test(name))
    .flatMap((directory) =>
      namesIn(join(root, CONFIGURED, directory))
        .filter(isOurs)
        .map((name) => join(CONFIGURED, directory, name)),
    )
    .filter((path) => leadsTo(join(root, path), units));
}

function leadsTo(link: string, units: ReadonlySet<string>): boolean {
  try {
    return units.has(readlinkSync(link));
  } catch {
    return false;
  }
}

/** Takes away that the units, given by their paths below the root, are started at boot. */
export function disableUnits(root: string, paths: readonly string[], dryRun: boolean): Step[] {
  const units = new Set(paths.filter((path) => isOurs(basename(path))));
  const links = enabledLinks(root, units);
  if (!dryRun) for (const path of links) rmSync(join(root, path), { force: true });
  return links.map((path) => ({ action: 'remove', path }));
}

/** Tells a running systemd that units came or went. @returns why it could not be told */
export async function reloadSystemd(root: string): Promise<string | undefined> {
  if (root !== '/' || !existsSync('/run/systemd/system')) return undefined;
  try {
    await run('systemctl', ['daemon-reload']);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
