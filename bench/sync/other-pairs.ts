import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cable } from '../../src/core/demo/namespaces.js';
import { run } from '../../src/core/system/processes.js';
import { daemon, stop } from './daemon.js';
import { empty, inNetwork, makeDirectories, wireBytes, type Pair } from './pair.js';

const START_MS = 500;
const PORTS = { rsync: 8731, lsyncd: 8732, unison: 8733 } as const;

/** An rsync daemon at the right; the left one pushes when it is told to. */
async function rsyncDaemon(
  root: string,
  right: string,
  cable: Cable,
  port: number,
): Promise<ChildProcess> {
  const config = join(root, 'rsyncd.conf');
  const words = ['uid = 0', 'gid = 0', 'use chroot = no', `lock file = ${join(root, 'lock')}`];
  const module = ['[right]', `path = ${right}`, 'read only = no'];
  writeFileSync(config, `${[...words, ...module].join('\n')}\n`);
  const child = daemon(
    cable,
    1,
    ['rsync', '--daemon', '--no-detach', `--port=${port}`, `--config=${config}`],
    root,
  );
  await sleep(START_MS);
  return child;
}

export async function rsyncPair(root: string, cable: Cable): Promise<Pair> {
  const { left, right } = makeDirectories(root);
  const child = await rsyncDaemon(root, right, cable, PORTS.rsync);
  const push = [
    'rsync',
    '-a',
    '--delete',
    `${left}/`,
    `rsync://${cable.addresses[1]}:${PORTS.rsync}/right/`,
  ];
  const [program = '', ...args] = inNetwork(cable, 0, push);
  const carry = async (): Promise<void> => {
    await run(program, args);
  };
  return {
    ...{ name: 'rsync', left, right, carry },
    // rsync knows of nothing but what is there.
    forget: () => {
      empty(right);
      return Promise.resolve();
    },
    begin: () => Promise.resolve(),
    wire: () => wireBytes(cable),
    end: () => stop(child),
  };
}

/** lsyncd, as quick as it can be made, over an rsync daemon. */
export async function lsyncdPair(root: string, cable: Cable): Promise<Pair> {
  const { left, right } = makeDirectories(root);
  const server = await rsyncDaemon(root, right, cable, PORTS.lsyncd);
  const config = join(root, 'lsyncd.lua');
  const target = `rsync://${cable.addresses[1]}:${PORTS.lsyncd}/right/`;
  writeFileSync(
    config,
    `settings { nodaemon = true, inotifyMode = "CloseWrite or Modify" }
sync { default.rsync, source = "${left}", target = "${target}", delay = 0, rsync = { archive = true } }\n`,
  );
  const start = () => daemon(cable, 0, ['lsyncd', config], root);
  let child = start();
  await sleep(2 * START_MS);
  return {
    ...{ name: 'lsyncd', left, right },
    forget: async () => {
      await stop(child);
      empty(right);
    },
    begin: () => {
      child = start();
      return Promise.resolve();
    },
    wire: () => wireBytes(cable),
    end: async () => {
      await stop(child);
      await stop(server);
    },
  };
}

/** unison with a server of its own at the right, run when it is told to. */
export async function unisonPair(root: string, cable: Cable): Promise<Pair> {
  const { left, right } = makeDirectories(root);
  const homes = [join(root, 'home-left'), join(root, 'home-right')] as const;
  for (const home of homes) mkdirSync(join(home, '.unison'), { recursive: true });
  const child = daemon(cable, 1, ['unison', '-socket', String(PORTS.unison)], homes[1]);
  await sleep(START_MS);
  const target = `socket://${cable.addresses[1]}:${PORTS.unison}/${right}`;
  const words = [
    'unison',
    left,
    target,
    '-batch',
    '-silent',
    '-times',
    '-prefer',
    'newer',
    '-confirmbigdel=false',
  ];
  const [program = '', ...args] = inNetwork(cable, 0, words);
  const env = { HOME: homes[0] };
  return {
    ...{ name: 'unison', left, right, twoWay: true },
    // What it knows of both is with each of them.
    forget: () => {
      for (const home of homes) empty(join(home, '.unison'));
      empty(right);
      return Promise.resolve();
    },
    begin: () => Promise.resolve(),
    carry: async () => {
      await run(program, args, { env, okCodes: [1] });
    },
    wire: () => wireBytes(cable),
    end: () => stop(child),
  };
}
