import { readdirSync, readFileSync } from 'node:fs';
import { listMounted, type MountedState } from '../../src/core/presto/mounting/mounted-state.js';
import { prestoStatus } from '../../test/support/presto-status.js';

/** What a presto takes of the machine. */
export interface Usage {
  /** Memory in use (VmRSS of proc_pid_status(5)), and its most since the start. */
  readonly rssMib: number;
  readonly peakMib: number;
  readonly descriptors: number;
  /** Files and directories that it knows because the kernel does. */
  readonly nodes: number;
}

export function mountedOf(runDir: string): MountedState {
  const [state] = listMounted(runDir);
  if (state === undefined) throw new Error(`nothing is mounted by ${runDir}`);
  return state;
}

export function rssMib(pid: number): number {
  return memory(pid, 'VmRSS');
}

/** The most since the start (VmHWM of proc_pid_status(5)). */
export function peakMib(pid: number): number {
  return memory(pid, 'VmHWM');
}

/** Processor time of the threads that a process has (schedstat in proc(5), nanoseconds). @returns seconds */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'));
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}

export async function usageOf(runDir: string): Promise<Usage> {
  const state = mountedOf(runDir);
  const { nodes } = await prestoStatus(runDir, state);
  return {
    rssMib: rssMib(state.pid),
    peakMib: peakMib(state.pid),
    descriptors: readdirSync(`/proc/${state.pid}/fd`).length,
    nodes,
  };
}
