import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PROGRAM } from '../system/package.js';
import { run, type RunResult } from '../system/processes.js';

export type CacheType = 'ext3' | 'ext4';

export interface HostOptions {
  readonly name: string;
  /** Everything of this host is below it. */
  readonly root: string;
  readonly address: string;
  /** Network namespace; undefined for the machine's own. */
  readonly namespace: string | undefined;
}

/**
 * A host of a demonstration or a test: its own configuration, run-time directory, cache image, mount point and, where
 * possible, network. It is operated as a user does: by commands.
 */
export class Host {
  readonly name: string;
  readonly address: string;
  readonly configDir: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly image: string;
  readonly mountPoint: string;
  readonly logPath: string;
  lento: ChildProcess | undefined;

  constructor(private readonly options: HostOptions) {
    const { name, root } = options;
    this.name = name;
    this.address = options.address;
    const home = join(root, name);
    this.configDir = join(home, 'etc');
    this.runDir = join(home, 'run');
    this.stateDir = join(home, 'var');
    this.image = join(home, 'fs0');
    this.mountPoint = join(home, 'izo0');
    this.logPath = join(home, 'lento.log');
    for (const directory of [this.configDir, this.runDir, this.stateDir, this.mountPoint]) {
      mkdirSync(directory, { recursive: true });
    }
  }

  get environment(): Record<string, string> {
    return {
      IZO_CONFIG_DIR: this.configDir,
      IZO_RUN_DIR: this.runDir,
      IZO_STATE_DIR: this.stateDir,
    };
  }

  /** The words that run a program on this host. */
  #command(program: string, args: readonly string[]): [string, string[]] {
    const { namespace } = this.options;
    if (namespace === undefined) return [program, [...args]];
    return ['nsenter', [`--net=/run/netns/${namespace}`, program, ...args]];
  }

  /** Runs `izo ...` to its end. @throws IzoError with its own words where it fails */
  izo(
    args: readonly string[],
    options: { okCodes?: number[]; input?: string } = {},
  ): Promise<RunResult> {
    const [program, words] = this.#command(process.execPath, [PROGRAM, ...args]);
    // Half a mount is more than who cleans up finds.
    const usual = { env: this.environment, timeoutMs: 600_000, detached: true };
    return run(program, words, { ...options, ...usual });
  }

  /** Starts lento and returns when it says that it is ready. */
  async startLento(args: readonly string[] = []): Promise<void> {
    const [program, words] = this.#command(process.execPath, [PROGRAM, 'lento', ...args]);
    const log = openSync(this.logPath, 'a');
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', log],
      detached: true,
      env: { ...process.env, ...this.environment },
    });
    closeSync(log);
    this.lento = child;
    const lines = createInterface({ input: child.stdout as Readable });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes('is ready')) resolve();
      });
      child.once('exit', (code) => {
        reject(
          new Error(`lento of ${this.name} ended with ${code ?? 'a signal'}: ${this.logPath}`),
        );
      });
    });
  }

  /** Ends lento, by a signal that lets it clean up or by one that does not, and waits until it is gone. */
  async stopLento(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.lento;
    this.lento = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** `more`: mount options besides the usual ones. */
  async mount(fileset: string, type?: CacheType, more?: readonly string[]): Promise<void> {
    const options = optionsOfMount(fileset, type, more);
    await this.izo(['mount', this.image, this.mountPoint, '-o', options]);
  }
}

/** The options with which a host mounts its cache; `more`: besides the usual ones. */
export function optionsOfMount(
  fileset: string,
  type: CacheType = 'ext3',
  more: readonly string[] = [],
): string {
  const words = ['loop', `fileset=${fileset}`, 'prestodev=/dev/intermezzo0'];
  return [...words, `cache_type=${type}`, ...more].join(',');
}
