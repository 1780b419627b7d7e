import { ControlServer } from '../psdev/control-server.js';
import type { Channel } from '../psdev/channel.js';
import { FrameError, type Frame } from '../psdev/frames.js';
import { readTraceFilter } from '../psdev/trace.js';
import { prestoControlPath, type MountedState } from './mounted-state.js';
import type { Presto } from './presto.js';
import { TraceStream } from './trace/trace-stream.js';

/** Where commands find a running presto: to look at what it does. Another socket than the psdev's, which is lento's alone. */
export class PrestoControl {
  readonly #path: string;
  #server: ControlServer | undefined;

  private constructor(
    private readonly presto: Presto,
    runDir: string,
    state: Pick<MountedState, 'psdev' | 'fileset'>,
  ) {
    this.#path = prestoControlPath(runDir, state);
  }

  static async listen(
    presto: Presto,
    runDir: string,
    state: Pick<MountedState, 'psdev' | 'fileset'>,
  ): Promise<PrestoControl> {
    const control = new PrestoControl(presto, runDir, state);
    const handle = control.#handle.bind(control);
    control.#server = await ControlServer.listen(control.#path, handle);
    return control;
  }

  #handle(kind: string, frame: Frame, from: Channel): Record<string, unknown> {
    switch (kind) {
      case 'trace':
        this.#trace(frame, from);
        return {};
      default:
        throw new FrameError(`${kind} is no request`);
    }
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
