import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = fileURLToPath(new URL('machine.sh', import.meta.url));
const SHELL = fileURLToPath(new URL('shell.sh', import.meta.url));
const COMMAND_MS = 60_000;

export interface Done {
  readonly code: number;
  readonly output: string;
}

/** A command that runs at a terminal of its own. */
export interface Session {
  /** All that was shown up to now, as plain lines. */
  readonly shown: () => string;
  readonly type: (keys: string) => void;
  /** Waits for its end. @returns the exit code */
  readonly end: () => Promise<number>;
}

/** The programs that an installation of the package has. */
function programs(): string[] {
  const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  return Object.keys(about.bin);
}

/** A host whose root is a shell, by which it is operated. Everything of it ends with it. */
export class Machine {
  readonly #io: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, (code: number) => void>();
  #count = 0;
  #errors = '';

  /** `directory`: for all that it writes. `namespace`: its network. */
  constructor(
    readonly name: string,
    directory: string,
    namespace: string,
  ) {
    this.#io = join(directory, 'io');
    for (const each of ['io', 'fs']) mkdirSync(join(directory, each), { recursive: true });
    copyFileSync(SHELL, join(this.#io, 'shell.sh'));
    const unshare = ['unshare', '--mount', '--uts', '--pid', '--fork', '--kill-child'];
    const words = [`--net=/run/netns/${namespace}`, ...unshare, 'bash', '--norc', SCRIPT];
    this.#child = spawn('nsenter', words, {
      stdio: 'pipe',
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C.UTF-8',
        T: directory,
        IZO: ROOT.replace(/\/$/, ''),
        NAME: name,
        NAMES: programs().join(' '),
      },
    });
    const errors = this.#child.stderr as Readable;
    errors.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    createInterface({ input: this.#child.stdout as Readable }).on('line', (line) => {
      const [number = '', code = ''] = line.split(' ');
      this.#waiting.get(number)?.(Number(code));
      this.#waiting.delete(number);
    });
  }

  /** Runs one command to its end; what it leaves in the background goes on. */
  async run(command: string): Promise<Done & { readonly number: string }> {
    const number = String(++this.#count);
    writeFileSync(join(this.#io, `${number}.sh`), command);
    const code = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`${this.name}# ${command}: not within ${COMMAND_MS / 1000} s`));
      }, COMMAND_MS);
      const ended = (): void => reject(new Error(`${this.name} has ended: ${this.#errors}`));
      this.#child.once('exit', ended);
      this.#waiting.set(number, (result) => {
        clearTimeout(late);
        this.#child.off('exit', ended);
        resolve(result);
      });
      (this.#child.stdin as Writable).write(`${number}\n`);
    });
    return { number, code, output: this.output(number) };
  }

  async atTerminal(command: string): Promise<Session> {
    const path = join(this.#io, `terminal${++this.#count}`);
    const inside = `/run/howto/terminal${this.#count}`;
    writeFileSync(path, command);
    for (const name of ['screen', 'code']) writeFileSync(`${path}.${name}`, '');
    execFileSync('mkfifo', [`${path}.keys`]);
    // Whoever reads it sees no end before this is closed.
    const keys = openSync(`${path}.keys`, 'r+');
    const words = `script --quiet --return --flush --command 'exec bash ${inside}' /dev/null`;
    await this.run(
      `(${words} < ${inside}.keys >> ${inside}.screen 2>&1; echo $? > ${inside}.code) &`,
    );
    const shown = () =>
      stripVTControlCharacters(readFileSync(`${path}.screen`, 'utf8')).replaceAll('\r', '');
    const end = async () => {
      const deadline = Date.now() + COMMAND_MS / 2;
      for (;;) {
        const code = readFileSync(`${path}.code`, 'utf8');
        if (code.endsWith('\n')) {
          closeSync(keys);
          return Number(code);
        }
        if (Date.now() > deadline) throw new Error(`${command} does not end:\n${shown()}`);
        await sleep(20);
      }
    };
    return { shown, type: (text) => writeSync(keys, text), end };
  }

  /** What a command has printed up to now. */
  output(number: string): string {
    return readFileSync(join(this.#io, `${number}.out`), 'utf8');
  }

  async write(path: string, text: string | Buffer): Promise<void> {
    writeFileSync(join(this.#io, 'file'), text);
    const { code, output } = await this.run(`install -D -m 644 /run/howto/file ${path}`);
    assert.equal(code, 0, output);
  }

  async read(path: string): Promise<Buffer> {
    const { code, output } = await this.run(`cp ${path} /run/howto/file`);
    assert.equal(code, 0, output);
    return readFileSync(join(this.#io, 'file'));
  }

  /** With it all of its processes, and then its mounts. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    await gone;
  }
}
