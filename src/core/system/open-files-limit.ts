import { declare, Memory } from './native.js';

const RLIMIT_NOFILE = 7;
/** Of a process whose limit cannot be read: what every host allows. */
const LEAST = 256;

// struct rlimit: two 64-bit numbers, soft and hard.
const memory = new Memory(16);
const c = {
  getrlimit: declare('int getrlimit(int, uint64)'),
  setrlimit: declare('int setrlimit(int, uint64)'),
};

/**
 * Lets this process have as many descriptors as it may without anybody's leave: the soft limit becomes the hard one.
 * @returns how many that are (getrlimit(2), RLIMIT_NOFILE)
 */
export function raiseOpenFilesLimit(): number {
  if (c.getrlimit(RLIMIT_NOFILE, memory.address) !== 0) return LEAST;
  const { buffer } = memory;
  const hard = buffer.readBigUInt64LE(8);
  const soft = buffer.readBigUInt64LE(0);
  if (soft === hard) return Number(soft);
  buffer.writeBigUInt64LE(hard, 0);
  return Number(c.setrlimit(RLIMIT_NOFILE, memory.address) === 0 ? hard : soft);
}
