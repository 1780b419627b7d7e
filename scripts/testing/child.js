import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const running = new Set();

/** A network with nothing but a loopback device: all ports are free in it. */
const OWN_NETWORK = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

/** Hosts of a cluster have networks of their own; where this machine does not allow that they share addresses. */
export function hasNetworks() {
  return spawnSync('unshare', ['--net', 'true']).status === 0;
}

/** A Node program in a process group of its own, that writes to a file whatever it and its children have to say. */
export class Child {
  #output;
  #read = 0;
  #process;

  /** Resolves to how it ended, or to undefined if that was well. */
  ended;

  /** @param network whether it gets a network of its own */
  constructor(args, output, env, network = false) {
    this.#output = output;
    const fd = openSync(output, 'a');
    const [program, ...words] = [...(network ? OWN_NETWORK : []), process.execPath, ...args];
    const child = spawn(program, words, {
      cwd: ROOT,
      stdio: ['ignore', fd, fd, 'ipc'],
      env: { ...process.env, ...env },
      detached: true,
    });
    closeSync(fd);
    this.#process = child;
    running.add(this);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => {
        running.delete(this);
        // What it leaves behind must not disturb others.
        this.kill();
        if (code === 0) resolve(undefined);
        else resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`);
      });
    });
  }

  /** Sends a message. @returns the answer; undefined where it ends without one */
  ask(message) {
    return new Promise((resolve) => {
      this.#process.once('message', resolve);
      void this.ended.then(() => resolve(undefined));
      this.#process.send(message, () => undefined);
    });
  }

  /** Asks it to end when it has done. */
  letGo() {
    if (this.#process.connected) this.#process.disconnect();
  }

  /** The whole process group: a test may have daemons. */
  kill() {
    try {
      process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  /** What it has said since this was last asked. */
  said() {
    const from = this.#read;
    this.#read = statSync(this.#output).size;
    return readFileSync(this.#output).toString('utf8', from, this.#read);
  }
}

export function killAll() {
  for (const child of running) child.kill();
}
