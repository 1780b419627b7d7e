import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Finding, Inspection } from './inspections.js';

const WORKER = fileURLToPath(new URL('inspector-worker.ts', import.meta.url));
/** What takes longer hangs. */
const INSPECTION_MS = 60_000;

export type Question = [what: Inspection, ...paths: string[]];
export type Answer = Finding;

/** Asks for inspections in a process of its own, which is given up where it hangs. One at a time. */
export class Inspector {
  #child: ChildProcess | undefined;

  async inspect(...question: Question): Promise<Finding> {
    this.#child ??= this.#start();
    const child = this.#child;
    const done = new AbortController();
    const { signal } = done;
    const timer = setTimeout(() => child.kill('SIGKILL'), INSPECTION_MS);
    try {
      const words = question.join(' ');
      const died = once(child, 'exit', { signal }).then(() => [
        { wrong: [`it hung, or died: ${words}`], count: 0 },
      ]);
      const answered = Promise.race([once(child, 'message', { signal }), died]);
      child.send(question);
      const [answer] = (await answered) as [Finding];
      return answer;
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  #start(): ChildProcess {
    const child = fork(WORKER, { execArgv: ['--import', 'tsx'], cwd: process.cwd() });
    child.once('exit', () => (this.#child = undefined));
    return child;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
  }
}
