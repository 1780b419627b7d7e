import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The janitors of clusters notice by themselves that their tests are gone, and clean up in order. */
const JANITOR = 'demo-janitor';
const JANITOR_MS = 30_000;

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Processes that a run of tests has started, by the directory that all of them know. */
function processesOf(directory) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      ['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(directory)),
    )
    .map((pid) => ({
      pid: Number(pid),
      command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
    }));
}

/** Mount points below a directory, the innermost first. */
function mountsBelow(directory) {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse();
}

function loopDevicesBelow(directory) {
  return readdirSync('/sys/block')
    .filter((name) => read(`/sys/block/${name}/loop/backing_file`).startsWith(`${directory}/`))
    .map((name) => `/dev/${name}`);
}

/** What a run of tests has left, besides files: there should be nothing. A line each. */
export function leftovers(directory) {
  return [
    ...processesOf(directory).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...mountsBelow(directory).map((path) => `mount ${path}`),
    ...loopDevicesBelow(directory).map((device) => `loop device ${device}`),
  ];
}

/** Takes away all that a run of tests has in a directory and from there, in whatever state it is. */
export async function sweep(directory) {
  const deadline = Date.now() + JANITOR_MS;
  const cleans = ({ command }) => command.includes(JANITOR);
  while (processesOf(directory).some(cleans) && Date.now() < deadline) await sleep(100);
  for (const { pid } of processesOf(directory)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  for (const path of mountsBelow(directory)) spawnSync('umount', ['-l', path]);
  for (const device of loopDevicesBelow(directory)) spawnSync('losetup', ['-d', device]);
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
