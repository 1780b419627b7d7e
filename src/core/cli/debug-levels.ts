import { askLentoDebug, lentosOf } from '../lento/service/control-client.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { askPrestoDebug } from '../presto/control/client.js';
import { isAlive, listMounted } from '../presto/mounting/mounted-state.js';
import type { DebugAnswer, DebugRequest } from '../psdev/debug.js';
import { selectMounted } from './select-mounted.js';

/** A process whose log can be made longer, and how long it is. */
export interface DebugLevelOf extends DebugAnswer {
  readonly program: 'lento' | 'presto';
  /** The sysid, or the fileset. */
  readonly name: string;
  readonly mountPoint: string | null;
}

interface Process {
  readonly about: Pick<DebugLevelOf, 'program' | 'name' | 'mountPoint'>;
  readonly ask: (request: DebugRequest) => Promise<DebugAnswer>;
}

/** Which word stands for all lentos of this host. */
export const ALL_LENTOS = 'lento';

/** Tells the levels of all, or of those that are meant, or changes them. @throws IzoError not-running, not-mounted */
export async function debugLevels(
  runDir: string,
  wanted: string | undefined,
  request: DebugRequest,
): Promise<DebugLevelOf[]> {
  const levels: DebugLevelOf[] = [];
  for (const { about, ask } of processes(runDir, wanted)) {
    try {
      levels.push({ ...about, ...(await ask(request)) });
    } catch (error) {
      // A killed one leaves its socket behind: that matters only to who means just that one.
      const isNamed = wanted !== undefined && wanted !== ALL_LENTOS;
      if (isNamed || !(error instanceof IzoError) || error.code !== 'not-running') throw error;
    }
  }
  if (levels.length > 0) return levels;
  const what = wanted === undefined ? 'neither lento nor presto runs' : 'lento is not running';
  throw new IzoError('not-running', what, {
    exit: EXIT.notRunning,
    remedy: 'Start it: izo lento, izo mount',
  });
}

function processes(runDir: string, wanted: string | undefined): Process[] {
  const lentos = lentosOf(runDir).map((name): Process => {
    const about = { program: 'lento', name, mountPoint: null } as const;
    return { about, ask: (request) => askLentoDebug(runDir, name, request) };
  });
  if (wanted === ALL_LENTOS) return lentos;
  const states =
    wanted === undefined
      ? listMounted(runDir).filter(({ pid }) => isAlive(pid))
      : [selectMounted(wanted)];
  const prestos = states.map((state): Process => {
    const about = { program: 'presto', name: state.fileset, mountPoint: state.mountPoint } as const;
    return { about, ask: (request) => askPrestoDebug(runDir, state, request) };
  });
  return wanted === undefined ? [...lentos, ...prestos] : prestos;
}
