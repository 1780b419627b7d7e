import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, killAll } from './child.js';

const WORKER = ['--import', 'tsx', 'scripts/testing/worker.js'];

/** What a worker may take to end after its last test: longer, and a test has left something running. */
const LINGER_MS = 15_000;

/** Does what there is to do, several things at once. Files of one suite share their workers. */
export class Pool {
  #report;
  #directory;
  #networks;
  #count = 0;
  #doing = new Map();
  #queue = [];
  #stopped = false;

  /** @param directory for everything that tests make. @param networks whether each worker can have a network of its own */
  constructor(report, directory, networks) {
    this.#report = report;
    this.#directory = directory;
    this.#networks = networks;
  }

  /** What is being done. */
  get running() {
    return [...this.#doing.values()];
  }

  async run(jobs, atOnce) {
    if (this.#stopped) return;
    this.#queue = [...jobs];
    const count = Math.min(atOnce, jobs.length);
    await Promise.all(Array.from({ length: count }, (_, slot) => this.#work(slot)));
  }

  /** Begins nothing more, and ends at once what is being done. */
  stop() {
    this.#stopped = true;
    this.#queue = [];
    killAll();
  }

  async #work(slot) {
    let worker;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      const { block, file, args } = job;
      if (worker !== undefined && worker.block !== block) worker = await this.#dismiss(worker);
      this.#doing.set(slot, file ?? block.name);
      this.#report.begin(block);
      if (file === undefined) await this.#check(block, args);
      else {
        worker ??= { block, files: [], child: this.#start(WORKER, this.#networks) };
        worker = await this.#test(worker, file);
      }
      this.#doing.delete(slot);
    }
    if (worker !== undefined) await this.#dismiss(worker);
  }

  #start(args, network = false) {
    const output = join(this.#directory, `output-${++this.#count}`);
    const env = { TMPDIR: this.#directory, IZO_TEST_KEEP: tmpdir() };
    return new Child(args, output, env, network);
  }

  async #check(block, args) {
    const child = this.#start(args);
    const wrong = await child.ended;
    const verdict = wrong === undefined ? '' : `  FAILED ${block.name}: ${wrong}\n`;
    const counts = wrong === undefined ? { passed: 1 } : { failed: 1 };
    this.#report.add(block, child.said() + verdict, counts);
  }

  /** @returns the worker, unless it is gone */
  async #test(worker, file) {
    const { block, child, files } = worker;
    files.push(file);
    const counts = await child.ask(file);
    if (counts !== undefined) {
      this.#report.add(block, child.said(), counts);
      return worker;
    }
    const wrong = (await child.ended) ?? 'ended before its tests';
    this.#report.add(block, `${child.said()}  FAILED ${file}: ${wrong}\n`, { failed: 1 });
    return undefined;
  }

  /** Lets a worker end, and sees that it does. */
  async #dismiss({ block, child, files }) {
    child.letGo();
    let lingers = false;
    const timer = setTimeout(() => {
      lingers = true;
      child.kill();
    }, LINGER_MS);
    const wrong = await child.ended;
    clearTimeout(timer);
    if (wrong === undefined) return;
    const why = lingers ? 'ran on after its last test: one leaves something open' : wrong;
    this.#report.complain(`${block.name}: ${why}, after ${files.join(', ')}\n${child.said()}`);
  }
}
