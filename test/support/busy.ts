import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compareWithNotes } from './notes.js';

const WORKER = fileURLToPath(new URL('busy-worker.ts', import.meta.url));

/** Where all workers act. */
const COMMON = 'common';

/** How long the notes of each worker are, by their names. */
export type NotesLengths = Readonly<Record<string, number>>;

/** Processes that change a file system at random and note what they do. */
export class Busy {
  readonly #workers: { child: ChildProcess; directory: string; notes: string }[] = [];
  #errors = '';

  /** Starts `count` workers and returns when all of them have begun. `seed` names the round. */
  static async start(root: string, notes: string, seed: number, count: number): Promise<Busy> {
    const busy = new Busy();
    mkdirSync(join(root, COMMON), { recursive: true });
    for (let i = 0; i < count; i++) busy.#start(root, notes, seed * 100 + i);
    while (
      !busy.#workers.every((worker) => existsSync(worker.notes) && statSync(worker.notes).size)
    ) {
      await sleep(5);
      if (busy.#workers.some(({ child }) => child.exitCode !== null)) break;
    }
    return busy;
  }

  #start(root: string, notesDirectory: string, seed: number): void {
    const name = `busy-${seed}`;
    const directory = join(root, name);
    const notes = join(notesDirectory, `${name}.notes`);
    mkdirSync(directory);
    const args = ['--import', 'tsx', WORKER, directory, join(root, COMMON), notes, String(seed)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#workers.push({ child, directory, notes });
  }

  /** Waits until all have ended, by themselves or because they are told. @throws where one failed */
  async end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    for (const { child } of this.#workers) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      if (signal !== undefined) child.kill(signal);
      await gone;
    }
    if (this.#errors !== '') throw new Error(`a worker failed: ${this.#errors}`);
  }

  /** How far the workers are now. */
  lengths(): NotesLengths {
    return Object.fromEntries(
      this.#workers.map(({ notes }) => [basename(notes), statSync(notes).size]),
    );
  }

  /** How many notes of a kind there are. */
  count(kind: 'full' | 'synced'): number {
    const texts = this.#workers.map(({ notes }) => readFileSync(notes, 'utf8'));
    return texts.join('').split(`{"${kind}":`).length - 1;
  }

  /** What is not as the workers noted it. */
  differences(): string[] {
    return this.#workers.flatMap(({ directory, notes }) => [
      ...compareWithNotes(directory, notes).differences,
    ]);
  }
}
