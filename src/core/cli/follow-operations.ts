import { setTimeout as sleep } from 'node:timers/promises';
import { followOperations, type Following } from '../presto/control/client.js';
import type { MountedState } from '../presto/mounting/mounted-state.js';
import type { TraceFilter } from '../psdev/trace.js';
import { Interruption, type Output } from './terminal/interruption.js';
import type { Names } from './render/history.js';
import { toTraced, type TracedOperation } from './render/trace.js';

/** What who reads the output has not taken yet, in bytes: operations on top of that are not shown. */
const MOST_BYTES = 4 * 1024 * 1024;

/** What is followed: a mounted fileset, and which operations on it. */
export interface Followed {
  readonly state: MountedState;
  readonly filter: TraceFilter;
}

export interface FollowOptions {
  readonly runDir: string;
  readonly names: Names;
  readonly out: Output;
  /** After so many operations, and after so many seconds, it ends. */
  readonly count: number;
  readonly seconds: number | undefined;
  readonly show: (traced: TracedOperation) => void;
  /** All are followed from now on. */
  readonly began: () => void;
  readonly dropped: (state: MountedState, count: number) => void;
  readonly unmounted: (state: MountedState) => void;
}

/** Shows the operations until there were enough, the time is over, Ctrl-C, or all is unmounted. @throws IzoError */
export async function followAll(
  followed: readonly Followed[],
  options: FollowOptions,
): Promise<void> {
  const { runDir, names, out, seconds, show, dropped } = options;
  const stop = new Interruption(out);
  let left = options.count;
  const follow = ({ state, filter }: Followed): Promise<Following> => {
    let missed = 0;
    return followOperations(runDir, state, filter, {
      events: (events) => {
        for (const event of events) {
          if (stop.signal.aborted) return;
          if (out.writableLength > MOST_BYTES) {
            missed++;
            continue;
          }
          if (missed > 0) dropped(state, missed);
          missed = 0;
          show(toTraced(event, state, names));
          if (--left === 0) stop.end();
        }
      },
      dropped: (count) => dropped(state, count),
    });
  };
  const followings: Following[] = [];
  try {
    for (const each of followed) followings.push(await follow(each));
    options.began();
    const ends = followings.map(({ ended }, index) =>
      ended.then(() => {
        const state = followed[index]?.state;
        if (state !== undefined && !stop.signal.aborted) options.unmounted(state);
      }),
    );
    void Promise.all(ends).then(() => stop.end());
    const { signal } = stop;
    if (seconds !== undefined)
      void sleep(seconds * 1000, undefined, { signal }).then(
        () => stop.end(),
        () => undefined,
      );
    await aborted(signal);
  } finally {
    stop.end();
    stop.release();
    for (const each of followings) each.end();
  }
  await new Promise<void>((done) => out.write('', () => done()));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
