import { readFileSync } from 'node:fs';

/** By which people and service managers ask a program to end: SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM. */
const ENDING = maskOf(1, 2, 3, 9, 15);
/** Whose default is to be ignored, or to stop or continue: SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH. */
const HARMLESS = maskOf(17, 18, 19, 20, 21, 22, 23, 28);

function maskOf(...signals: number[]): bigint {
  return signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
}

/**
 * Whether a thread that waits for an answer has got a signal by which its program ends, or is to end. Others, as of a timer
 * or those by which a runtime stops its threads, must not make a system call fail that no disk would fail for them.
 * @param thread its id as the kernel sent it; of one that cannot be looked at it is true
 */
export function isAskedToEnd(thread: number): boolean {
  try {
    return meansEnd(readFileSync(`/proc/${thread}/status`, 'latin1'));
  } catch {
    return true;
  }
}

/** @param status the text of proc_pid_status(5) */
export function meansEnd(status: string): boolean {
  const mask = (field: string): bigint =>
    BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  const pending = (mask('SigPnd') | mask('ShdPnd')) & ~mask('SigBlk');
  const byDefault = ~(mask('SigCgt') | mask('SigIgn') | HARMLESS);
  return (pending & (ENDING | byDefault)) !== 0n;
}
