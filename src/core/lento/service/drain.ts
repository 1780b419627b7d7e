import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { askStatus, askSync, lentosOf } from './control-client.js';
import { errorText } from '../error-text.js';
import type { FilesetStatus } from '../status/fileset-status.js';

/** Time between attempts while a host is away. */
const RETRY_MS = 500;

interface Cared {
  readonly sysid: string;
  readonly fileset: FilesetStatus;
}

/** The lento that has the fileset mounted at a place, and what it says of that. */
async function whoCaresFor(runDir: string, mountPoint: string): Promise<Cared> {
  for (const sysid of lentosOf(runDir)) {
    // One that was killed does not answer.
    const status = await askStatus(runDir, sysid).catch(() => undefined);
    const fileset = status?.filesets.find((each) => each.mountPoint === mountPoint);
    if (fileset !== undefined) return { sysid, fileset };
  }
  throw new IzoError('not-running', `no lento cares for what is mounted at ${mountPoint}`, {
    exit: EXIT.notRunning,
    remedy:
      'Start it: izo lento. Or unmount without --drain: what is not sent stays in the journal.',
  });
}

/**
 * Resolves when all other hosts of the fileset that is mounted there have what was done so far.
 * @throws IzoError not-running; not-drained: with what is missing, when the time is over
 */
export async function drainMount(
  runDir: string,
  mountPoint: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const { sysid, fileset } = await whoCaresFor(runDir, mountPoint);
  let why: string;
  do {
    const left = Math.max(1, deadline - Date.now());
    try {
      const { absent } = await askSync(runDir, { sysid, fileset: fileset.name, timeoutMs: left });
      if (absent.length === 0) return;
      why = `not connected: ${absent.join(', ')}`;
    } catch (error) {
      why = errorText(error);
    }
    await sleep(Math.min(RETRY_MS, Math.max(0, deadline - Date.now())));
  } while (Date.now() < deadline);
  const missing = await whatIsMissing(runDir, mountPoint).catch(() => '');
  throw new IzoError('not-drained', `${fileset.name} is not everywhere: ${missing || why}`, {
    exit: EXIT.timeout,
    place: { file: mountPoint },
    remedy: 'It stays mounted. Without --drain, what is missing is sent when it is mounted again.',
  });
}

async function whatIsMissing(runDir: string, mountPoint: string): Promise<string> {
  const { fileset } = await whoCaresFor(runDir, mountPoint);
  return fileset.peers
    .flatMap(({ name, connected, lag, error }) => {
      if (connected && lag?.records === 0) return [];
      const records = lag === undefined ? 'an unknown number of' : String(lag.records);
      const how = connected ? '' : ', and is not connected';
      return [`${name} lacks ${records} records${how}${error === undefined ? '' : ` (${error})`}`];
    })
    .join('; ');
}
