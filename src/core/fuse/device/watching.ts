import { E } from '../../system/errno.js';
import { PARK } from '../port.js';
import { SeenRequest, type RequestWatcher } from '../watcher.js';
import { describeRequest } from './describe.js';
import type { Exchange } from './exchange.js';
import { OPERATIONS } from './operation-table.js';
import { FuseOpcode } from './protocol.js';

/** Shows the request in the exchange to a watcher, and what became of it. There is one only while somebody watches. */
export class Watching {
  readonly #seen = new SeenRequest();
  #shown = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly watcher: RequestWatcher,
  ) {}

  /** It is about to be served. `since`: parked since then; 0 for one that has just come. */
  begin(since: number): void {
    const { request } = this.exchange;
    // Whoever forgets a node is the kernel, some time after the last program.
    this.#shown = OPERATIONS[request.opcode]?.silent !== true;
    if (!this.#shown) return;
    describeRequest(request, since > 0 ? since : performance.now(), this.#seen);
    this.watcher.begin(this.#seen);
  }

  /** `result`: of the operation. */
  end(result: number): void {
    if (!this.#shown) return;
    const { request, entry, opened } = this.exchange;
    if (result < 0 || result === PARK) {
      this.watcher.end(result, 0, false);
      return;
    }
    const { opcode } = request;
    // A name that does not exist is answered with an entry of no node: the kernel remembers that.
    const missing = opcode === FuseOpcode.LOOKUP && entry.node === 0;
    const opens = opcode === FuseOpcode.OPEN || opcode === FuseOpcode.CREATE;
    const byKernel = opens && opened.backing > 0 && !opened.directIo;
    this.watcher.end(missing ? -E.ENOENT : 0, this.#bytes(result), byKernel);
  }

  #bytes(result: number): number {
    const { request, reply } = this.exchange;
    switch (request.opcode) {
      case FuseOpcode.READ:
        return result;
      case FuseOpcode.WRITE:
      case FuseOpcode.COPY_FILE_RANGE:
        return reply.written;
      default:
        return 0;
    }
  }

  /** A request that was parked before anybody watched. */
  stillWaits(since: number): void {
    this.begin(since);
    this.end(PARK);
  }

  dropped(id: number, result: number): void {
    this.watcher.dropped(id, result);
  }
}
