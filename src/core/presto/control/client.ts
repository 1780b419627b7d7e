import { connect } from 'node:net';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { Channel, ChannelClosed } from '../../psdev/channel.js';
import { readActivity, type ActivityCounts, type ActivityNow } from '../../psdev/activity.js';
import type { DebugAnswer, DebugRequest } from '../../psdev/debug.js';
import type { Frame } from '../../psdev/frames.js';
import { number } from '../../psdev/messages.js';
import type { TraceEvent, TraceFilter } from '../../psdev/trace.js';
import { prestoControlPath, type MountedState } from '../mounting/mounted-state.js';

/** Finds the presto of a mounted fileset. @throws IzoError not-running */
async function connectToPresto(
  runDir: string,
  state: MountedState,
  onNotice: (kind: string, frame: Frame) => void = () => undefined,
): Promise<Channel> {
  const file = prestoControlPath(runDir, state);
  const socket = connect(file);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => reject(notThere(state, file, cause)));
  });
  const refuse = (): never => {
    throw new Error('presto asks nothing');
  };
  return new Channel(socket, refuse, onNotice);
}

function notThere({ fileset, mountPoint }: MountedState, file: string, cause?: unknown): IzoError {
  const what = `the presto of ${fileset} at ${mountPoint} does not answer`;
  return new IzoError('not-running', what, {
    exit: EXIT.notRunning,
    place: { file },
    remedy: 'Where izo was updated since it was mounted, unmount the fileset and mount it again.',
    cause,
  });
}

/** What is heard of the operations of one fileset. */
export interface TraceListener {
  readonly events: (events: readonly TraceEvent[]) => void;
  /** So many were not told: this program did not keep up. */
  readonly dropped: (count: number) => void;
}

export interface Following {
  /** Resolves when the fileset is unmounted, or after `end`. */
  readonly ended: Promise<void>;
  end(): void;
}

/** Follows the operations of a mounted fileset. Resolves when they are followed. @throws IzoError not-running */
export async function followOperations(
  runDir: string,
  state: MountedState,
  filter: TraceFilter,
  listener: TraceListener,
): Promise<Following> {
  const channel = await connectToPresto(runDir, state, (kind, { head }) => {
    if (kind !== 'traced') return;
    const { events, dropped } = head as { events: TraceEvent[]; dropped: number };
    if (dropped > 0) listener.dropped(dropped);
    listener.events(events);
  });
  try {
    await channel.request('trace', { ...filter });
  } catch (error) {
    if (!(error instanceof ChannelClosed)) throw error;
    throw notThere(state, prestoControlPath(runDir, state), error);
  }
  return { ended: channel.closed, end: () => channel.close() };
}

/** A presto that is asked again and again what was done since the last time. */
export class ActivityWatch {
  private constructor(
    private readonly channel: Channel,
    readonly state: MountedState,
  ) {}

  /** What is done from now on is counted. @throws IzoError not-running */
  static async begin(runDir: string, state: MountedState): Promise<ActivityWatch> {
    const watch = new ActivityWatch(await connectToPresto(runDir, state), state);
    await watch.take();
    return watch;
  }

  /** @returns undefined where it has ended, or does not answer in time */
  async take(): Promise<(ActivityCounts & ActivityNow) | undefined> {
    const timer = setTimeout(() => this.channel.close(), ANSWER_MS);
    try {
      return readActivity((await this.channel.request('activity')).head);
    } catch (error) {
      if (error instanceof ChannelClosed) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.channel.close();
  }
}

const ANSWER_MS = 10_000;

/** Tells the debug level of a presto, or changes it. @throws IzoError not-running */
export async function askPrestoDebug(
  runDir: string,
  state: MountedState,
  request: DebugRequest,
): Promise<DebugAnswer> {
  const { head } = await ask(runDir, state, 'debug', { ...request });
  return { level: number(head, 'level'), configured: number(head, 'configured') };
}

async function ask(
  runDir: string,
  state: MountedState,
  kind: string,
  head: Record<string, unknown>,
): Promise<Frame> {
  const channel = await connectToPresto(runDir, state);
  // It waits for a disk that does not answer, perhaps.
  const timer = setTimeout(() => channel.close(), ANSWER_MS);
  try {
    return await channel.request(kind, head);
  } catch (error) {
    if (!(error instanceof ChannelClosed)) throw error;
    throw notThere(state, prestoControlPath(runDir, state), error);
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}
