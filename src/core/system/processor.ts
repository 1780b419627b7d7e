import { readFileSync } from 'node:fs';
import { declare, Memory } from './native.js';

const c = {
  sched_getaffinity: declare('int sched_getaffinity(int, uint64, uint64)'),
  sched_setaffinity: declare('int sched_setaffinity(int, uint64, uint64)'),
  get_nprocs: declare('int get_nprocs()'),
};

/** A cpu_set_t for as many processors as Linux can have. */
const MASK_BYTES = 1024;
const mine = new Memory(MASK_BYTES);
const wanted = new Memory(MASK_BYTES);
/** Of proc_pid_stat(5), counted from behind the command's name: field 39, `processor`. */
const PROCESSOR_FIELD = 36;

/**
 * Has the calling thread go on at the processor where another one runs or ran last, if it may run there at all. From there
 * the kernel moves it as ever. Where there is no such thread, or it may not, nothing happens.
 */
export function joinProcessorOf(thread: number): void {
  const processor = processorOf(thread);
  mine.buffer.fill(0);
  if (processor === undefined) return;
  if (c.sched_getaffinity(0, MASK_BYTES, mine.address) !== 0) return;
  const at = processor >> 3;
  const bit = (mine.buffer[at] ?? 0) & (1 << (processor & 7));
  if (bit === 0) return;
  wanted.buffer.fill(0);
  wanted.buffer[at] = bit;
  c.sched_setaffinity(0, MASK_BYTES, wanted.address);
  // The kernel keeps to what it is told now: processors that come later are to be used as well.
  if (bitsOf(mine.buffer) >= c.get_nprocs()) mine.buffer.fill(0xff);
  c.sched_setaffinity(0, MASK_BYTES, mine.address);
}

function bitsOf(mask: Buffer): number {
  let bits = 0;
  for (const byte of mask) for (let rest = byte; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

function processorOf(thread: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${thread}/stat`, 'latin1');
    const field = text.slice(text.lastIndexOf(')') + 2).split(' ')[PROCESSOR_FIELD];
    return field === undefined ? undefined : Number(field);
  } catch {
    return undefined;
  }
}
