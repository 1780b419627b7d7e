import { ControlServer } from '../../psdev/control-server.js';
import type { Channel } from '../../psdev/channel.js';
import type { ActivityCounts, ActivityNow } from '../../psdev/activity.js';
import { answerDebug } from '../../psdev/debug.js';
import { FrameError, type Frame } from '../../psdev/frames.js';
import { readTraceFilter } from '../../psdev/trace.js';
import { isAllOfIt, type DebugLevel } from '../../system/log.js';
import { prestoControlPath, type MountedState } from '../mounting/mounted-state.js';
import type { Presto } from '../presto.js';
import { Activity } from '../trace/activity.js';
import { describeOperation } from '../trace/describe.js';
import { TraceStream } from '../trace/trace-stream.js';

interface ControlPlace extends Pick<MountedState, 'psdev' | 'fileset'> {
  readonly runDir: string;
}

/** Where commands find a running presto: to look at what it does. Another socket than the psdev's, which is lento's alone. */
export class PrestoControl {
  readonly #path: string;
  #server: ControlServer | undefined;
  readonly #activities = new WeakMap<Channel, Activity>();
  #endLogging: (() => void) | undefined;

  private constructor(
    private readonly presto: Presto,
    private readonly debug: DebugLevel,
    place: ControlPlace,
  ) {
    this.#path = prestoControlPath(place.runDir, place);
    debug.onChange((level) => this.#logOperations(level));
    this.#logOperations(debug.level);
  }

  static async listen(
    presto: Presto,
    place: ControlPlace,
    debug: DebugLevel,
  ): Promise<PrestoControl> {
    const control = new PrestoControl(presto, debug, place);
    const handle = control.#handle.bind(control);
    control.#server = await ControlServer.listen(control.#path, handle);
    return control;
  }

  #handle(kind: string, frame: Frame, from: Channel): Record<string, unknown> {
    switch (kind) {
      case 'trace':
        this.#trace(frame, from);
        return {};
      case 'activity':
        return { ...this.#activityOf(from), ...this.#now() };
      case 'debug':
        return answerDebug(this.debug, frame.head, (message) => this.presto.log('info', message));
      default:
        throw new FrameError(`${kind} is no request`);
    }
  }

  /** At the level of "all of it" each operation is in the log. */
  #logOperations(level: number): void {
    const wanted = isAllOfIt(level);
    if (wanted === (this.#endLogging !== undefined)) return;
    const { tracer, log } = this.presto;
    this.#endLogging?.();
    this.#endLogging = wanted
      ? tracer.add({ take: (event) => log('trace', describeOperation(event)) })
      : undefined;
  }

  /** Counted from the first time that a command asks until it is gone. */
  #activityOf(from: Channel): ActivityCounts {
    const known = this.#activities.get(from);
    if (known !== undefined) return known.report();
    const activity = new Activity();
    this.#activities.set(from, activity);
    const end = this.presto.tracer.add(activity);
    void from.closed.then(end);
    return activity.report();
  }

  #now(): ActivityNow {
    const { parked, openFiles } = this.presto.status();
    return { waiting: parked, openFiles };
  }

  #trace({ head }: Frame, from: Channel): void {
    const stream = new TraceStream(from, readTraceFilter(head));
    const end = this.presto.tracer.add(stream);
    void from.closed.then(() => {
      end();
      stream.close();
    });
  }

  close(): void {
    this.#server?.close(this.#path);
  }
}
