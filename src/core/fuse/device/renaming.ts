import { readFileSync } from 'node:fs';

/** rename, renameat and renameat2 in the kernel's tables, also for programs of 32 bits. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  x64: ['82', '264', '316', '38', '302', '353'],
  arm64: ['38', '276', '302', '382'],
};

/** Whether a thread that waits for an answer is in rename(2). Of one that cannot be looked at it is true. */
export function isRenaming(thread: number): boolean {
  const numbers = NUMBERS[process.arch];
  try {
    const [call = ''] = readFileSync(`/proc/${thread}/syscall`, 'latin1').split(' ', 1);
    return numbers === undefined || numbers.includes(call);
  } catch {
    return true;
  }
}
