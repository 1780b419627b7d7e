import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = fileURLToPath(new URL('machine.sh', import.meta.url));
const SHELL = fileURLToPath(new URL('shell.sh', import.meta.url));
const COMMAND_MS = 60_000;

export interface Done {
  readonly code: number;
  readonly output: string;
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
