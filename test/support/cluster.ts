import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Comparison } from '../../src/core/demo/compare-trees.js';
import { makeTwoHosts, type TwoHosts } from '../../src/core/demo/demo.js';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus, askSync } from '../../src/core/lento/service/control-client.js';
import type { PeerStatus } from '../../src/core/lento/status/fileset-status.js';
import { IzoError } from '../../src/core/model/errors.js';
import { isRunning } from '../../src/core/system/processes.js';
import { listMounted, type MountedState } from '../../src/core/presto/mounting/mounted-state.js';
import { Comparer } from './comparer.js';

export const FILESET = 'shared';

/** One script, one wait for the other host: what takes longer hangs. */
const CHILD_MS = 60_000;

/**
 * Two hosts for the tests of one file. Everything that touches a mount is done by other processes: one that hangs in the
 * kernel is given up, and does not take the tests with it.
 */
export class Cluster {
  readonly #comparer = new Comparer();
  #hosts: TwoHosts | undefined;

  get #two(): TwoHosts {
    assert.ok(this.#hosts !== undefined, 'the hosts are there within tests only');
    return this.#hosts;
  }

  get server(): Host {
    return this.#two.server;
  }

  get client(): Host {
    return this.#two.client;
  }

  /** A directory that is not replicated, for what the tests make. */
  get work(): string {
    return join(this.#two.root, 'work');
  }

  get separated(): boolean {
    return this.#two.cable !== undefined;
  }

  otherThan(host: Host): Host {
    return host === this.server ? this.client : this.server;
  }

  /** @param imageSize of each cache, as mkizofs takes it */
  async make(imageSize?: string): Promise<void> {
    this.#hosts = await makeTwoHosts(() => undefined, imageSize);
    mkdirSync(this.work);
    // What both do before that would be in conflict.
    await this.connected();
  }

  /** Takes the hosts away, and looks whether anything of them is left. */
  async end(): Promise<void> {
    const hosts = this.#hosts;
    this.#hosts = undefined;
    await this.#comparer.end();
    if (hosts === undefined) return;
    await hosts.end();
    await assertGone(hosts);
  }

  /** Runs a shell script in which $A is the server's mount, $B the client's, $W a directory outside of both. */
  start(script: string, env: Record<string, string> = {}) {
    return execa('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.work,
      env: {
        LC_ALL: 'C',
        A: this.server.mountPoint,
        B: this.client.mountPoint,
        W: this.work,
        ...env,
      },
      stdin: 'ignore',
      timeout: CHILD_MS,
      killSignal: 'SIGKILL',
      all: true,
    });
  }

  async sh(script: string, env: Record<string, string> = {}): Promise<string> {
    return (await this.start(script, env)).all;
  }

  /** Runs `script` with $M as the mount of `host`. */
  on(host: Host, script: string, env: Record<string, string> = {}): Promise<string> {
    return this.sh(script, { ...env, M: host.mountPoint });
  }

  /** What `izo sync` does on a host: waits until the other has what was done there. */
  async sync({ runDir, name }: Host): Promise<void> {
    await askSync(runDir, { sysid: name, fileset: FILESET, timeoutMs: CHILD_MS });
  }

  /** The barrier on the host that has written; then both trees must be equal. */
  async equalAfter(writer: Host): Promise<Comparison> {
    await this.sync(writer);
    return this.equal();
  }

  /** Where both have written: neither has anything that the other does not have yet. */
  async equalAfterBoth(): Promise<Comparison> {
    await this.sync(this.server);
    return this.equalAfter(this.client);
  }

  /** Compares two trees: those of the hosts where nothing else is said. */
  async equal(left = this.server.mountPoint, right = this.client.mountPoint): Promise<Comparison> {
    const result = await this.#comparer.compare(left, right);
    const { differences } = result;
    if (differences.length > 0) {
      assert.fail(`${differences.length} differences:\n${differences.slice(0, 20).join('\n')}`);
    }
    return result;
  }

  /** Bytes that have gone over the cable, both ways. Only where hosts have networks of their own. */
  async wireBytes(): Promise<number> {
    const { cable } = this.#two;
    assert.ok(cable !== undefined);
    const { stdout } = await execa('ip', [
      ...['-n', cable.namespaces[0], '-stats', '-json', 'link', 'show', cable.links[0]],
    ]);
    const [link] = JSON.parse(stdout) as {
      stats64: Record<'rx' | 'tx', { bytes: number }>;
    }[];
    assert.ok(link !== undefined);
    return link.stats64.rx.bytes + link.stats64.tx.bytes;
  }

  /** What is mounted on a host. */
  mountedOn(host: Host): MountedState {
    const [state] = listMounted(host.runDir);
    assert.ok(state !== undefined, `nothing is mounted on ${host.name}`);
    return state;
  }

  /** Where a host's lento puts contents that it fetches. */
  stageOf(host: Host): string {
    return join(this.mountedOn(host).lowerPath, '.intermezzo', FILESET, 'stage');
  }

  /** The presto behind a host's mount. */
  prestoOf(host: Host): number {
    return this.mountedOn(host).pid;
  }

  /** Pulls one host's end of the cable, or plugs it in. */
  async setLink(host: Host, state: 'up' | 'down'): Promise<void> {
    const { cable } = this.#two;
    assert.ok(cable !== undefined);
    const side = host === this.server ? 0 : 1;
    const { namespaces, links } = cable;
    await execa('ip', ['-n', namespaces[side], 'link', 'set', links[side], state]);
  }

  /** Lets no more than 25 MB a second out of a host, so that what is on its way can be seen; or as much as there is. */
  async setSlow(host: Host, isSlow: boolean): Promise<void> {
    const { cable } = this.#two;
    assert.ok(cable !== undefined);
    const side = host === this.server ? 0 : 1;
    const words = ['-n', cable.namespaces[side], 'qdisc', isSlow ? 'add' : 'del'];
    const rate = ['tbf', 'rate', '200mbit', 'burst', '256kb', 'latency', '50ms'];
    await execa('tc', [...words, 'dev', cable.links[side], 'root', ...(isSlow ? rate : [])]);
  }

  /** Runs node in the network of a host. @returns its standard output */
  async inNetworkOf(
    host: Host,
    args: readonly string[],
    env: Record<string, string>,
  ): Promise<string> {
    const { cable } = this.#two;
    const namespace = cable?.namespaces[host === this.server ? 0 : 1];
    const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`];
    const [program = process.execPath, ...rest] = [...enter, process.execPath, ...args];
    const options = { env, timeout: 2 * CHILD_MS, killSignal: 'SIGKILL' } as const;
    const { stdout } = await execa(program, rest, options);
    return stdout;
  }

  /** Pulls the cable, and waits until both hosts have noticed. */
  async cutOff(): Promise<void> {
    await this.setLink(this.client, 'down');
    await until('both notice', async () => {
      const up = await Promise.all(
        [this.client, this.server].map((host) => this.isConnected(host)),
      );
      return !up.includes(true);
    });
  }

  /** Waits until records flow between the hosts. */
  async connected(): Promise<void> {
    await until(
      'the hosts are connected',
      async () => (await this.isConnected(this.server)) && (await this.isConnected(this.client)),
    );
  }

  /** Kills one daemon of a host; and starts it again as a user does. */
  async killAndRestart(host: Host, daemon: 'presto' | 'lento'): Promise<void> {
    if (daemon === 'lento') {
      await host.stopLento('SIGKILL');
      await host.startLento();
      return;
    }
    const pid = this.prestoOf(host);
    process.kill(pid, 'SIGKILL');
    await until('presto is gone', () => !isRunning(pid));
    await host.mount(FILESET);
  }

  /** What `izo status` on a host says of the other. */
  async peerOf({ runDir, name }: Host): Promise<PeerStatus> {
    const peer = (await askStatus(runDir, name)).filesets[0]?.peers[0];
    assert.ok(peer !== undefined);
    return peer;
  }

  /** What `izo status` says of a host's link to the other. */
  async isConnected({ runDir, name }: Host): Promise<boolean> {
    try {
      const { filesets } = await askStatus(runDir, name);
      return filesets.some(({ peers }) => peers.some(({ connected }) => connected));
    } catch (error) {
      if (error instanceof IzoError) return false;
      throw error;
    }
  }

  /** For the reader of a failed test. */
  logs(): string {
    if (this.#hosts === undefined) return '';
    const { server, client } = this.#hosts;
    return [server, client]
      .flatMap((host) => [host.logPath, join(host.runDir, 'intermezzo0', `${FILESET}.log`)])
      .filter((path) => existsSync(path))
      .map((path) => `${path}\n${readFileSync(path, 'utf8').slice(-4000)}`)
      .join('\n');
  }
}

/**
 * Makes two hosts before the tests of a describe() and takes them away after them.
 * @param imageSize of each cache, as mkizofs takes it
 */
export function useCluster(imageSize?: string): Cluster {
  const cluster = new Cluster();
  before(async function () {
    this.timeout(60_000);
    await cluster.make(imageSize);
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stdout.write(`${cluster.logs()}\n`);
  });
  after(async function () {
    this.timeout(90_000);
    await cluster.end();
  });
  return cluster;
}

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(50);
  }
}

async function assertGone({ root, cable }: TwoHosts): Promise<void> {
  assert.equal(existsSync(root), false, `${root} is left`);
  const linesWith = (text: string, word: string) =>
    text.split('\n').filter((line) => line.includes(word));
  assert.deepEqual(linesWith(readFileSync('/proc/mounts', 'utf8'), root), [], 'mounts are left');
  const { stdout: loops } = await execa('losetup', ['--all']);
  assert.deepEqual(linesWith(loops, root), [], 'loop devices are left');
  for (const namespace of cable?.namespaces ?? []) {
    assert.equal(existsSync(`/run/netns/${namespace}`), false, `${namespace} is left`);
  }
  assert.deepEqual(processesOf(root), [], 'processes are left');
}

/** Processes whose arguments or environment name `root`. */
export function processesOf(root: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      ['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(root)),
    )
    .map((pid) => `${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
