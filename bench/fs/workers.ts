import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoopName } from './loops.js';
import type { Job, JobResult } from './worker.js';

const PROGRAM = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Processes that do the timed calls, each in a directory of its own. */
export class Workers {
  readonly #children: ChildProcess[] = [];

  /** Runs a loop `count` times in all, shared among so many processes. @returns seconds from the first start to the last end */
  async run(loop: LoopName, directory: string, count: number, processes = 1): Promise<number> {
    while (this.#children.length < processes) this.#children.push(fork(PROGRAM));
    const share = Math.floor(count / processes);
    const jobs = this.#children.slice(0, processes).map((child, index) => {
      const own = processes === 1 ? directory : join(directory, `process${index}`);
      mkdirSync(own, { recursive: true });
      return this.#ask(child, { loop, directory: own, count: share });
    });
    const results = await Promise.all(jobs);
    let begin: bigint | undefined;
    let end = 0n;
    for (const result of results) {
      if ('error' in result) throw new Error(result.error);
      const [from, to] = [BigInt(result.begin), BigInt(result.end)];
      if (begin === undefined || from < begin) begin = from;
      if (to > end) end = to;
    }
    return Number(end - (begin ?? end)) / 1e9;
  }

  #ask(child: ChildProcess, job: Job): Promise<JobResult> {
    return new Promise((resolve) => {
      const done = (result: JobResult): void => {
        child.off('message', done).off('exit', ended);
        resolve(result);
      };
      const ended = (): void => {
        done({ error: 'a working process ended' });
      };
      child.on('message', done).on('exit', ended);
      child.send(job);
    });
  }

  end(): void {
    for (const child of this.#children.splice(0)) if (child.connected) child.disconnect();
  }
}
