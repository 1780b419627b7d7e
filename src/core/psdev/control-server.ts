import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { Channel } from './channel.js';
import type { Frame } from './frames.js';

/** More commands than that do not talk to one process at a time: whoever comes later is shut out. */
const MOST = 64;

/** Answers a request of a command. `from`: for what it is told later, and to know when it is gone. */
export type ControlHandler = (
  kind: string,
  frame: Frame,
  from: Channel,
) => Promise<Record<string, unknown>> | Record<string, unknown>;

/** The socket by which commands talk to a running lento or presto. For root only. */
export class ControlServer {
  readonly #server: Server;
  readonly #channels = new Set<Channel>();

  private constructor(handler: ControlHandler) {
    this.#server = createServer((socket) => {
      if (this.#channels.size >= MOST) {
        socket.destroy();
        return;
      }
      const channel: Channel = new Channel(socket, (kind, frame) => handler(kind, frame, channel));
      this.#channels.add(channel);
      void channel.closed.then(() => this.#channels.delete(channel));
    });
  }

  /** The caller holds the lock of what listens there, so a socket found at `path` is a dead one's. */
  static async listen(path: string, handler: ControlHandler): Promise<ControlServer> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
    const control = new ControlServer(handler);
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return control;
  }

  close(path: string): void {
    this.#server.close();
    for (const channel of this.#channels) channel.close();
    rmSync(path, { force: true });
  }
}
