import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { Channel, type Handler } from '../psdev/channel.js';

/** The socket by which commands talk to a running lento. For root only. */
export class ControlServer {
  readonly #server: Server;
  readonly #channels = new Set<Channel>();

  private constructor(handler: Handler) {
    this.#server = createServer((socket) => {
      const channel = new Channel(socket, handler);
      this.#channels.add(channel);
      void channel.closed.then(() => this.#channels.delete(channel));
    });
  }

  /** The caller holds lento's lock, so a socket found at `path` is a dead one's. */
  static async listen(path: string, handler: Handler): Promise<ControlServer> {
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
