import { must } from '../../src/core/system/errno.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat } from '../../src/core/system/files.js';
import { LOOPS, type LoopName } from './loops.js';

/** A process that runs loops on demand: what it costs to start is not measured. */
export interface Job {
  readonly loop: LoopName;
  readonly directory: string;
  readonly count: number;
}

/** Nanoseconds of the machine's monotonic clock, which all processes share; or why it failed. */
export type JobResult =
  { readonly begin: string; readonly end: string } | { readonly error: string };

function perform({ loop, directory, count }: Job): JobResult {
  const fd = must('open', openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY), directory);
  try {
    const begin = process.hrtime.bigint();
    LOOPS[loop](fd, count);
    return { begin: String(begin), end: String(process.hrtime.bigint()) };
  } catch (error) {
    return { error: `${loop} in ${directory}: ${String(error)}` };
  } finally {
    close(fd);
  }
}

process.on('message', (job: Job) => {
  process.send?.(perform(job));
});
process.on('disconnect', () => process.exit());
// A Ctrl-C is for who started it, and who ends it in order.
process.on('SIGINT', () => undefined);
