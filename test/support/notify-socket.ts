import { close, O_CLOEXEC, O_NONBLOCK } from '../../src/core/system/files.js';
import { checked, declare, Memory } from '../../src/core/system/native.js';

const c = {
  socket: declare('int socket(int, int, int)'),
  bind: declare('int bind(int, uint64, uint32)'),
  recv: declare('int64 recv(int, uint64, uint64, int)'),
};

const memory = new Memory(8192);

/** What systemd has for each service: a socket to which the service tells how it is. */
export class NotifySocket {
  readonly #fd: number;
  readonly #told: string[] = [];

  constructor(readonly path: string) {
    const address = new Memory(2 + path.length + 1);
    address.buffer.writeUInt16LE(1);
    address.putString(path, 2);
    this.#fd = checked(c.socket(1, 2 | O_CLOEXEC | O_NONBLOCK, 0));
    if (checked(c.bind(this.#fd, address.address, address.length)) < 0) throw new Error(path);
  }

  /** All datagrams so far. */
  get told(): readonly string[] {
    for (;;) {
      const length = checked(c.recv(this.#fd, memory.address, memory.length, 0));
      if (length < 0) return this.#told;
      this.#told.push(memory.buffer.toString('utf8', 0, length));
    }
  }

  close(): void {
    close(this.#fd);
  }
}
