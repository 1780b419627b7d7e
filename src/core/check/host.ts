import { dirname } from 'node:path';
import { listed, quoted } from '../config/index.js';
import { ANY_ADDRESS } from './between.js';
import type { Fix, Tell } from './diagnostic.js';
import type { HostFacts, PathFacts } from './facts.js';
import { configuredFiles, type Survey } from './survey.js';

/** As in package.json. */
const NODE_MIN = [20, 15] as const;
/** Kept for the kernel, the logs and the sockets, besides the files that programs use. */
const OPEN_FILES_MIN = 4096;
/** No clock is right before this was written: 2025-01-01. */
const BEGIN_MS = 1_735_689_600_000;
/** A file that is this much younger than the clock says that the clock is wrong. */
const CLOCK_MS = 5 * 60_000;
/** sockaddr_un, without its last zero byte. */
const SOCKET_PATH_MAX = 107;

/** What is wrong with this host, whatever its files say, and between the files and the host. */
export function checkHost(survey: Survey, facts: HostFacts, tell: Tell): void {
  checkSystem(survey, facts, tell);
  checkClock(facts, tell);
  checkAddresses(survey, facts, tell);
  checkPorts(survey, facts, tell);
  checkDirectories(survey, facts, tell);
  checkModes(survey, facts, tell);
  checkRunning(survey, facts, tell);
}

function checkSystem(survey: Survey, facts: HostFacts, tell: Tell): void {
  const say = (code: string, message: string, file: string, remedy: string): void => {
    tell({ code, message, place: { file }, remedy });
  };
  if (!facts.isRoot) {
    say('not-root', 'only root can look at everything', survey.configDir, 'sudo izo config-check');
  }
  if (!facts.hasFuse) {
    say(
      'no-fuse',
      'there is no usable /dev/fuse',
      '/dev/fuse',
      'modprobe fuse; in a container, give it the device and the right to mount',
    );
  }
  if (!facts.hasLoop && survey.fstab.mounts.some(({ mount }) => mount.loop)) {
    say('no-loop', 'there is no /dev/loop-control', '/dev/loop-control', 'modprobe loop');
  }
  for (const { program, package: name } of facts.missingPrograms) {
    const message = `the program ${quoted(program)} is not installed`;
    say('no-program', message, program, `apt-get install ${name}`);
  }
  const [major = 0, minor = 0] = facts.node.replace(/^v/, '').split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    const message = `this is Node.js ${facts.node}, and izo needs ${NODE_MIN.join('.')} or later`;
    say('node-old', message, process.execPath, 'Install a later one: see nodejs.org.');
  }
  if (facts.openFiles < OPEN_FILES_MIN) {
    const message = `a process may have ${facts.openFiles} files open`;
    const remedy = 'Raise the hard limit: LimitNOFILE=1048576 in the unit, or ulimit -Hn';
    say('few-descriptors', message, '/proc/self/limits', remedy);
  }
  for (const type of survey.fstab.types) {
    if (facts.mountHelpers.has(type)) continue;
    const helper = `/sbin/mount.${type}`;
    say('no-mount-helper', `${helper} does not exist`, survey.fstab.file, 'izo install');
  }
}

function checkClock({ now, newest }: HostFacts, tell: Tell): void {
  const remedy = 'Set the clock: timedatectl set-ntp true';
  const shown = (ms: number): string => new Date(ms).toISOString();
  if (now < BEGIN_MS) {
    const message = `the clock says ${shown(now)}, which was before this izo`;
    tell({ code: 'clock-off', message, place: { file: '/etc/localtime' }, remedy });
  } else if (newest !== undefined && newest.at > now + CLOCK_MS) {
    const message = `the clock says ${shown(now)}, and this was changed at ${shown(newest.at)}`;
    tell({ code: 'clock-off', message, place: { file: newest.what }, remedy });
  }
}

function checkAddresses(survey: Survey, { addresses }: HostFacts, tell: Tell): void {
  const remedy = `The addresses of this host are ${listed(addresses)}. Correct it, or add it: ip addr add ADDRESS/24 dev eth0`;
  const check = (address: string | undefined, place: { file: string }, whose: string): void => {
    if (address === undefined || isHere(address, addresses)) return;
    const message = `bindaddr ${address} of ${whose} is no address of this host`;
    tell({ code: 'address-not-here', message, place, remedy });
  };
  for (const { name, bindaddr, place } of survey.sysids) check(bindaddr, place, quoted(name));
  for (const { name, bindaddr, place } of survey.servers) {
    const isLocal = survey.sysids.some((sysid) => sysid.name === name);
    if (isLocal) check(bindaddr, place, `server ${quoted(name)}`);
  }
}

/** The whole of 127.0.0.0/8 is the loopback interface's. */
function isHere(address: string, addresses: readonly string[]): boolean {
  if (ANY_ADDRESS.has(address) || addresses.includes(address)) return true;
  return address.startsWith('127.') && addresses.includes('127.0.0.1');
}

function checkPorts(survey: Survey, facts: HostFacts, tell: Tell): void {
  for (const { server, address, port, isTaken } of facts.ports) {
    // Its own lento has it.
    if (!isTaken || facts.running.has(server)) continue;
    const place = survey.servers.find(({ name }) => name === server)?.place;
    tell({
      code: 'port-taken',
      message: `port ${port} of ${address} is taken, and not by lento of ${quoted(server)}`,
      place: place ?? { file: survey.files.serverdb },
      remedy: `See by whom: ss -tlnp 'sport = :${port}'. Stop it, or choose another port here and on every host.`,
    });
  }
}

function checkDirectories({ sysids }: Survey, facts: HostFacts, tell: Tell): void {
  for (const path of [facts.runDir, facts.stateDir]) {
    if (facts.paths.get(path)?.kind !== 'missing') continue;
    tell({
      code: 'no-directory',
      message: 'this directory does not exist yet',
      place: { file: path },
      remedy: `mkdir -p -m 755 ${path}`,
      fixes: [{ kind: 'mkdir', path, mode: 0o755 }],
    });
  }
  const longest = Math.max(0, ...sysids.map(({ name }) => Buffer.byteLength(name)));
  // The longest of the sockets: that of a psdev with the longest fileset is checked by the mount itself.
  const bytes = Buffer.byteLength(facts.runDir) + 1 + longest + '.lento.sock'.length;
  if (bytes <= SOCKET_PATH_MAX) return;
  tell({
    code: 'run-directory-long',
    message: `sockets in it have names of ${bytes} bytes, and the kernel takes ${SOCKET_PATH_MAX}`,
    place: { file: facts.runDir },
    remedy: 'Choose a shorter one: IZO_RUN_DIR',
  });
}

/** Changes of mode and owner after which only root can write. Both where both are needed. */
export function closing(path: string, { mode, uid }: PathFacts, wanted: number): Fix[] {
  return [
    ...(uid === 0 ? [] : [{ kind: 'chown' as const, path, uid: 0, gid: 0 }]),
    ...(mode === wanted ? [] : [{ kind: 'chmod' as const, path, mode: wanted }]),
  ];
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Everything that says whom this host trusts belongs to root alone. */
function checkModes(survey: Survey, facts: HostFacts, tell: Tell): void {
  const all = new Set(configuredFiles(survey));
  const directories = new Set([
    survey.configDir,
    ...[...all].map((file) => dirname(file)),
    facts.runDir,
  ]);
  for (const path of [...all, ...directories]) {
    const found = facts.paths.get(path);
    if (found === undefined || found.kind === 'missing' || found.kind === 'unknown') continue;
    // A directory like /tmp, where all may make files but not remove those of others, is open all the same.
    const isOpen = (found.mode & 0o022) !== 0;
    const isForeign = found.uid !== 0 && found.uid !== facts.euid;
    if (!isOpen && !isForeign) continue;
    const wanted = found.mode & ~0o022;
    const fixes = closing(path, isForeign ? found : { ...found, uid: 0 }, wanted);
    tell({
      code: found.kind === 'directory' ? 'directory-mode' : 'config-mode',
      message: `mode ${octal(found.mode)}, owner ${found.uid}: others than root can change it`,
      place: { file: path },
      remedy: `chown root: ${path} && chmod ${octal(wanted)} ${path}`,
      // A sticky directory is somebody else's arrangement, such as /tmp.
      fixes: (found.mode & 0o1000) === 0 ? fixes : [],
    });
  }
}

function checkRunning({ self, filesets }: Survey, { running }: HostFacts, tell: Tell): void {
  if (self === undefined || running.has(self.name)) return;
  const isInvolved = filesets.some(({ servername, replicators }) =>
    [servername, ...replicators].includes(self.name),
  );
  if (!isInvolved) return;
  tell({
    code: 'not-running',
    message: `lento of ${quoted(self.name)} is not running`,
    place: { file: self.file },
    remedy: 'Start it: izo lento',
  });
}
