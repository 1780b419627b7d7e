import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../../src/core/demo/compare-trees.js';

const WORKER = fileURLToPath(new URL('compare-worker.mjs', import.meta.url));
/** What takes longer hangs. */
const COMPARE_MS = 60_000;

interface Answer {
  readonly result?: Comparison;
  readonly error?: string;
}

/** Compares trees in a process that is given up where it hangs. It is started once for all comparisons: that costs most. */
export class Comparer {
  #child: ChildProcess | undefined;

  #start(): ChildProcess {
    const child = fork(WORKER, { execArgv: [], cwd: '/' });
    child.once('exit', () => (this.#child = undefined));
    return child;
  }

  async compare(left: string, right: string): Promise<Comparison> {
    this.#child ??= this.#start();
    const child = this.#child;
    const done = new AbortController();
    const { signal } = done;
    const timer = setTimeout(() => child.kill('SIGKILL'), COMPARE_MS);
    try {
      const gone = once(child, 'exit', { signal }).then(() => [{ error: 'it hung, or died' }]);
      const answered = Promise.race([once(child, 'message', { signal }), gone]);
      child.send([left, right]);
      const [answer] = (await answered) as [Answer];
      assert.ok(answer.result !== undefined, `${left} and ${right}: ${answer.error}`);
      return answer.result;
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.disconnect();
    await once(child, 'exit');
  }
}
