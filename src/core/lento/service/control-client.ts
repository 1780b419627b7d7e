import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { IzoError } from '../../model/errors.js';
import { EXIT, type ExitCode } from '../../model/exit-codes.js';
import type { ReplicaId } from '../../model/ids.js';
import { Channel, ChannelClosed, ChannelRefusal } from '../../psdev/channel.js';
import type { DebugAnswer, DebugRequest } from '../../psdev/debug.js';
import type { Frame } from '../../psdev/frames.js';
import { number } from '../../psdev/messages.js';
import { requireSocketPath } from '../../system/socket-path.js';
import type { SyncResult } from '../status/fileset-status.js';
import type { LentoStatus } from '../status/lento-status.js';
import type { VerifyRequest, VerifyStep } from '../verify/verifier.js';

/** What the sockets of lentos end with; before that is the name of their sysid. */
const CONTROL_SUFFIX = '.lento.sock';

/** Where commands find a running lento. @throws IzoError run-directory-long */
export function controlPath(runDir: string, sysid: string): string {
  return requireSocketPath(join(runDir, `${sysid}${CONTROL_SUFFIX}`));
}

/** The sysids of all lentos that run on this host, or were killed: one that was leaves its socket behind. */
export function lentosOf(runDir: string): string[] {
  const names = existsSync(runDir) ? readdirSync(runDir) : [];
  return names
    .filter((name) => name.endsWith(CONTROL_SUFFIX))
    .map((name) => name.slice(0, -CONTROL_SUFFIX.length));
}

function unreachable(path: string, sysid: string, cause: NodeJS.ErrnoException): IzoError {
  const place = { file: path };
  if (cause.code === 'EACCES' || (cause.code === 'EPERM' && process.geteuid?.() !== 0)) {
    return new IzoError('not-permitted', 'only root may ask lento', {
      exit: EXIT.notPermitted,
      place,
      remedy: 'Run the command as root.',
      cause,
    });
  }
  return new IzoError('not-running', `lento of ${sysid} is not running`, {
    exit: EXIT.notRunning,
    place,
    remedy: 'Start it: izo lento',
    cause,
  });
}

async function connectToLento(path: string, sysid: string): Promise<Channel> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => reject(unreachable(path, sysid, cause)));
  });
  return new Channel(socket, () => {
    throw new Error('lento asks nothing');
  });
}

/** Of refusals that say what is not there; others are failures. */
const EXITS: Readonly<Record<string, ExitCode>> = {
  'not-mounted': EXIT.notRunning,
  'not-connected': EXIT.notRunning,
  'no-such-peer': EXIT.usage,
  'bad-path': EXIT.usage,
};

async function ask(
  runDir: string,
  sysid: string,
  kind: string,
  head: Record<string, unknown>,
  timeoutMs: number,
): Promise<Frame> {
  const channel = await connectToLento(controlPath(runDir, sysid), sysid);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new IzoError('timeout', `lento of ${sysid} had not finished ${kind} in time`, {
          exit: EXIT.timeout,
          remedy: 'See what does not flow: izo status',
        }),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([channel.request(kind, head), late]);
  } catch (error) {
    if (error instanceof ChannelRefusal) {
      const exit = EXITS[error.code] ?? EXIT.failure;
      throw new IzoError(error.code, error.message, { exit, remedy: 'See more: izo status' });
    }
    if (error instanceof ChannelClosed) {
      throw new IzoError('not-running', `lento of ${sysid} ended`, { exit: EXIT.notRunning });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}

const STATUS_MS = 10_000;

/** @throws IzoError not-running, timeout */
export async function askStatus(runDir: string, sysid: string): Promise<LentoStatus> {
  const { head } = await ask(runDir, sysid, 'status', {}, STATUS_MS);
  return head['status'] as LentoStatus;
}

/** Tells the debug level, or changes it. @throws IzoError not-running, timeout */
export async function askLentoDebug(
  runDir: string,
  sysid: string,
  request: DebugRequest,
): Promise<DebugAnswer> {
  const { head } = await ask(runDir, sysid, 'debug', { ...request }, STATUS_MS);
  return { level: number(head, 'level'), configured: number(head, 'configured') };
}

/** @throws IzoError not-running, timeout, or why it cannot be */
export async function askSync(
  runDir: string,
  request: { sysid: string; fileset: string; timeoutMs: number },
): Promise<SyncResult> {
  const { sysid, fileset, timeoutMs } = request;
  const { head } = await ask(runDir, sysid, 'sync', { fileset }, timeoutMs);
  return head['result'] as SyncResult;
}

/** Names of hosts by the ids of their logs. @throws IzoError not-running, not-mounted */
export async function askLogs(
  runDir: string,
  { sysid, fileset }: VerifyTarget,
): Promise<ReadonlyMap<ReplicaId, string>> {
  const { head } = await ask(runDir, sysid, 'logs', { fileset }, STATUS_MS);
  return new Map(head['logs'] as [ReplicaId, string][]);
}

/** One file may be large, and is one step. */
const VERIFY_MS = 24 * 3600 * 1000;

export interface VerifyTarget {
  readonly sysid: string;
  readonly fileset: string;
}

/** The hosts that a fileset can be compared with. @throws IzoError not-running, not-mounted */
export async function askOthers(runDir: string, target: VerifyTarget): Promise<readonly string[]> {
  const { sysid, fileset } = target;
  const { head } = await ask(runDir, sysid, 'verify', { fileset }, STATUS_MS);
  return (head['result'] as { others: string[] }).others;
}

/** A piece of a comparison. @throws IzoError not-running, not-mounted, not-connected, or why it cannot be */
export async function askVerify(
  runDir: string,
  target: VerifyTarget & { readonly host: string },
  request: VerifyRequest,
): Promise<VerifyStep> {
  const { sysid, fileset, host } = target;
  const { head } = await ask(runDir, sysid, 'verify', { fileset, host, ...request }, VERIFY_MS);
  return head['result'] as VerifyStep;
}
