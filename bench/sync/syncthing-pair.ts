import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cable } from '../../src/core/demo/namespaces.js';
import { run } from '../../src/core/system/processes.js';
import { daemon, stop } from './daemon.js';
import { empty, makeDirectories, wireBytes, type Pair } from './pair.js';

const PORT = 22_000;
const FOLDER = 'shared';
/** What a device keeps besides its configuration and its key: what it knows of the folder. */
const KNOWLEDGE = /^index-/;
/** The least that it can be told to wait after a change; it waits ten seconds where nothing is said. */
const WATCHER_DELAY_S = 1;
/** What its watcher misses in directories that have just been made it finds so: an hour is what it takes by itself. */
const RESCAN_S = 10;
const QUIET_OPTIONS = {
  globalAnnounceEnabled: false,
  localAnnounceEnabled: false,
  relaysEnabled: false,
  natEnabled: false,
  startBrowser: false,
  autoUpgradeIntervalH: 0,
  crashReportingEnabled: false,
  urAccepted: -1,
  reconnectionIntervalS: 1,
};

interface Device {
  readonly home: string;
  readonly folder: string;
  readonly id: string;
  readonly address: string;
}

/** Two syncthings that know each other's address, and look at changes as soon as they can be made to. */
export async function syncthingPair(root: string, cable: Cable): Promise<Pair> {
  const { left, right } = makeDirectories(root);
  const devices = [
    await makeDevice(join(root, 'home-left'), left, cable.addresses[0]),
    await makeDevice(join(root, 'home-right'), right, cable.addresses[1]),
  ] as const;
  for (const device of devices) configure(device, devices);
  const start = (side: 0 | 1): ChildProcess => {
    const { home } = devices[side];
    const words = ['syncthing', 'serve', `--home=${home}`, '--no-browser', '--no-restart'];
    return daemon(cable, side, words, home);
  };
  const children: [ChildProcess, ChildProcess] = [start(0), start(1)];
  return {
    ...{ name: 'syncthing', left, right, isSlow: true, twoWay: true },
    forget: async () => {
      await stop(children[1]);
      empty(right);
      const { home } = devices[1];
      for (const name of readdirSync(home).filter((each) => KNOWLEDGE.test(each))) {
        rmSync(join(home, name), { recursive: true, force: true });
      }
      mkdirSync(join(right, '.stfolder'), { recursive: true });
    },
    begin: () => {
      children[1] = start(1);
      return Promise.resolve();
    },
    settle: () => sleep(3_000 * WATCHER_DELAY_S),
    wire: () => wireBytes(cable),
    end: async () => {
      for (const child of children) await stop(child);
    },
  };
}

async function makeDevice(home: string, folder: string, address: string): Promise<Device> {
  // By this it knows that the folder is there, and not a disk that was not mounted.
  mkdirSync(join(folder, '.stfolder'));
  const { stdout, stderr } = await run('syncthing', [
    ...['generate', `--home=${home}`, '--no-default-folder', '--skip-port-probing'],
  ]);
  const id = /Device ID: (\S+)/.exec(stdout + stderr)?.[1];
  if (id === undefined) throw new Error('syncthing generate does not say which device it made');
  return { home, folder, id, address };
}

function configure({ home, folder, address }: Device, devices: readonly Device[]): void {
  const options = Object.entries(QUIET_OPTIONS).map(
    ([name, value]) => `<${name}>${value}</${name}>`,
  );
  const text = `<configuration version="36">
  <folder id="${FOLDER}" path="${folder}" type="sendreceive" rescanIntervalS="${RESCAN_S}"
      fsWatcherEnabled="true" fsWatcherDelayS="${WATCHER_DELAY_S}">
    ${devices.map(({ id }) => `<device id="${id}"></device>`).join('\n    ')}
  </folder>
  ${devices.map((each) => `<device id="${each.id}"><address>tcp://${each.address}:${PORT}</address></device>`).join('\n  ')}
  <gui enabled="false"></gui>
  <options>
    <listenAddress>tcp://${address}:${PORT}</listenAddress>
    ${options.join('\n    ')}
  </options>
</configuration>
`;
  writeFileSync(join(home, 'config.xml'), text);
}
