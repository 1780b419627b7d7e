import { readFileSync, statSync } from 'node:fs';
import { arch, freemem, hostname, loadavg, release, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import { META_DIRECTORY } from '../model/names.js';
import { listMounted, type MountedState } from '../presto/mounting/mounted-state.js';
import { PACKAGE, PROGRAM } from '../system/package.js';
import { run } from '../system/processes.js';
import { tailOf } from './tail.js';

/** One file of a report. */
export interface Part {
  /** Its path in the archive. */
  readonly name: string;
  /** What it consists of; throws where that cannot be had. */
  readonly read: () => Promise<Buffer | string> | Buffer | string;
}

export interface Places {
  readonly configDir: string;
  readonly runDir: string;
}

/** Nothing that hangs holds the report up for longer. */
const COMMAND_MS = 20_000;
const LOG_BYTES = 512 * 1024;
const RECORDS = 100;
/** The keys are not among them. */
const CONFIG_FILES = ['sysid', 'serverdb', 'fsetdb'];
/** Exit codes of izo say what it has found: that is no failure here. */
const ANSWERS = [1, 2, 3, 4, 5, 6, 7];

/**
 * What a report has, and nothing else: an allow-list. Each part is had by itself, so that what hangs, is dead or was never
 * set up keeps no other part away.
 */
export function partsOf(places: Places): Part[] {
  const mounted = listMounted(places.runDir);
  return [
    { name: 'about.json', read: () => about(places) },
    ...CONFIG_FILES.map((file) => tail(`config/${file}`, join(places.configDir, file))),
    tail('fstab', '/etc/fstab'),
    tail('mounts', '/proc/self/mountinfo'),
    izo(places, 'config-check'),
    izo(places, 'status'),
    izo(places, 'conflicts', 'list'),
    command('losetup', ['--list', '--json', '--output', 'NAME,BACK-FILE,RO,DIO']),
    command('journalctl', ['--no-pager', '-o', 'short-precise', '-n', '2000', '-u', 'izo*']),
    ...mounted.flatMap((state) => partsOfMount(places, state)),
  ];
}

function partsOfMount(places: Places, state: MountedState): Part[] {
  const { psdev, fileset, lowerPath, mountPoint } = state;
  const meta = join(lowerPath, META_DIRECTORY, fileset);
  const within = (part: Part): Part => ({ ...part, name: `${psdev}.${fileset}/${part.name}` });
  return [
    { name: 'mount.json', read: () => JSON.stringify(state, null, 2) },
    tail('presto.log', join(places.runDir, psdev, `${fileset}.log`)),
    { name: 'last_rcvd', read: () => readFileSync(join(meta, 'last_rcvd')) },
    izo(places, 'kml', 'stat', mountPoint),
    izo(places, 'kml', 'check', mountPoint),
    izo(places, 'kml', 'dump', mountPoint, '--tail', String(RECORDS)),
  ].map(within);
}

function tail(name: string, path: string): Part {
  return { name, read: () => tailOf(path, LOG_BYTES) };
}

/** What a command of this izo prints for programs. */
function izo({ configDir }: Places, ...words: string[]): Part {
  const name = `izo-${words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('--')).join('-')}`;
  const args = [PROGRAM, ...words, '--json', '--configdir', configDir];
  return printed(`${name}.json`, process.execPath, args);
}

function command(program: string, args: readonly string[]): Part {
  return printed(program, program, args);
}

function printed(name: string, program: string, args: readonly string[]): Part {
  const read = async (): Promise<string> => {
    const options = { timeoutMs: COMMAND_MS, okCodes: ANSWERS };
    const { stdout, stderr, code } = await run(program, args, options);
    const said = stderr === '' ? '' : `\n${stderr}`;
    return `${stdout}${said}${code === 0 ? '' : `\nexit code ${code}`}\n`;
  };
  return { name, read };
}

function about({ configDir, runDir }: Places): string {
  const text = readFileSync(join(PACKAGE, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const system = { kernel: release(), arch: arch(), host: hostname(), uptime: uptime() };
  const memory = { total: totalmem(), free: freemem() };
  const fuse = statSync('/dev/fuse', { throwIfNoEntry: false }) !== undefined;
  const facts = { time: new Date().toISOString(), version, node: process.version, ...system };
  return JSON.stringify({ ...facts, load: loadavg(), memory, fuse, configDir, runDir }, null, 2);
}
