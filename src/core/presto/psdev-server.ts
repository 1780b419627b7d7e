import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel } from '../psdev/channel.js';
import { FrameError, type Frame } from '../psdev/frames.js';
import { decodeItems } from '../psdev/items.js';
import {
  number,
  PSDEV_VERSION,
  readApply,
  readGate,
  readTrim,
  text,
  type GateState,
  type Policy,
  type PrestoHello,
  type PrestoStatus,
} from '../psdev/messages.js';
import { IzoError } from '../model/errors.js';
import { formatReplicaId, type Recno, type ReplicaId } from '../model/ids.js';
import { NO_EPOCH, NO_STRETCH } from '../model/position.js';
import { must } from '../system/errno.js';
import type { Presto } from './presto.js';
import { refuseMerge } from './peers/merger.js';
import { remoteItem } from './peers/remote-item.js';

/** After applied updates lento is answered when the kernel has dropped what it cached of them, or after this. */
const INVALIDATION_MS = 100;

/** How long an unmounted fileset stays for lento to send what it has not sent yet. */
const ENDING_MS = 10_000;

/**
 * The psdev: where lento finds a mounted fileset. One lento at a time; when it goes away, however it went, the fileset is
 * disconnected.
 */
export class PsdevServer {
  readonly #server: Server;
  #lento: Channel | undefined;
  #announced: Recno = 0;
  #announcing = false;
  /** When programs began to wait for the permit, of performance.now(); 0 while none does. */
  #wantedAt = 0;

  private constructor(
    private readonly presto: Presto,
    private readonly path: string,
    private readonly identity: Omit<PrestoHello, 'version' | 'recno' | 'next' | 'replica'>,
  ) {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens at `path`. The caller holds the lock on the cache, so a socket found there is a dead presto's. */
  static async listen(
    presto: Presto,
    path: string,
    identity: Omit<PrestoHello, 'version' | 'recno' | 'next' | 'replica'>,
  ): Promise<PsdevServer> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
    const server = new PsdevServer(presto, path, identity);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return server;
  }

  #accept(socket: Socket): void {
    if (this.#lento?.isOpen === true) {
      socket.destroy();
      return;
    }
    const channel = new Channel(
      socket,
      (kind, frame) => this.#handle(kind, frame),
      (kind) => {
        if (kind === 'alive') this.presto.gate.alive();
      },
    );
    this.#lento = channel;
    this.presto.log('debug', 'lento has connected');
    const { kml, replica } = this.presto.logs;
    this.#announced = kml.end.recno;
    channel.notify('hello', {
      ...this.identity,
      version: PSDEV_VERSION,
      recno: kml.end.recno,
      next: kml.next,
      replica,
    });
    void channel.closed.then(() => {
      if (this.#lento !== channel) return;
      this.#lento = undefined;
      this.presto.log('info', 'lento is gone: the fileset is disconnected');
      this.presto.gate.set('disconnected');
    });
  }

  /** The log has grown: lento is told once for all that happens in this turn of the event loop. */
  readonly announce = (): void => {
    if (this.#announcing || this.#lento === undefined) return;
    this.#announcing = true;
    queueMicrotask(() => {
      this.#announcing = false;
      const { recno } = this.presto.logs.kml.end;
      if (recno === this.#announced) return;
      this.#announced = recno;
      this.#lento?.notify('log', { recno });
    });
  };

  /** Programs wait for the permit. */
  readonly want = (): void => {
    this.#wantedAt = performance.now();
    this.presto.log('debug', 'programs wait for the permit: lento is asked');
    this.#lento?.notify('want');
  };

  async #handle(kind: string, frame: Frame): Promise<Record<string, unknown>> {
    const { presto } = this;
    switch (kind) {
      case 'gate': {
        const { state, policy } = readGate(frame.head);
        this.#logGate(state, policy);
        if (state === 'absent') await presto.returning.all();
        return { recno: presto.setGate(state, policy) };
      }
      case 'apply':
        return this.#apply(frame);
      case 'merge':
        return this.#merge(frame);
      case 'acknowledged':
        presto.logs.lastRcvd.setAcknowledged(
          number(frame.head, 'peer'),
          number(frame.head, 'recno'),
        );
        return {};
      case 'expected': {
        // Of a merge that an earlier lento has begun: its end decides what is expected, and what of the log is void.
        if (presto.gate.isFrozen) throw new IzoError('merging', 'a merge is being finished');
        return this.#expected(number(frame.head, 'peer'));
      }
      case 'agreed': {
        const { lastRcvd } = presto.logs;
        const noted = lastRcvd.setEpoch(number(frame.head, 'peer'), number(frame.head, 'epoch'));
        must('last_rcvd', noted);
        return {};
      }
      case 'end':
        return { recno: presto.logs.kml.end.recno };
      case 'trim': {
        const { kml } = presto.logs;
        const before = kml.header.firstRecno;
        const more = kml.trim(readTrim(frame.head));
        const first = kml.header.firstRecno;
        if (first > before) presto.log('debug', `the log begins with record ${first} now`);
        return { first, more };
      }
      case 'status':
        return { ...presto.status() } satisfies PrestoStatus;
      default:
        throw new FrameError(`${kind} is no request`);
    }
  }

  #expected(peer: ReplicaId): Record<string, unknown> {
    const { lastRcvd } = this.presto.logs;
    const progress = lastRcvd.get(peer);
    const { expected = 1, checksum = 0, stretch = NO_STRETCH, epoch = NO_EPOCH } = progress ?? {};
    const others = lastRcvd.peers().some((other) => other.peer !== peer && other.expected > 1);
    return { expected, checksum, ...stretch, epoch, others };
  }

  #logGate(state: GateState, policy: Policy): void {
    const { log } = this.presto;
    log('debug', `lento says: ${state}${state === 'disconnected' ? `, updates: ${policy}` : ''}`);
    if (this.#wantedAt === 0 || state === 'absent') return;
    const ms = (performance.now() - this.#wantedAt).toFixed(1);
    log('debug', `programs go on after ${ms} ms`);
    this.#wantedAt = 0;
  }

  async #merge(frame: Frame): Promise<Record<string, unknown>> {
    const { presto } = this;
    // The link was lost since it was planned.
    if (presto.gate.state !== 'absent') refuseMerge('programs may update');
    await presto.merge(text(frame.head, 'plan'));
    await presto.invalidated(INVALIDATION_MS);
    const { recno } = presto.logs.kml.end;
    this.#announced = recno;
    return { recno };
  }

  async #apply(frame: Frame): Promise<Record<string, unknown>> {
    const { peer, log, next: recno, checksum, stretch } = readApply(frame.head);
    const items = decodeItems(frame.data).map(remoteItem);
    const { applier, logs } = this.presto;
    const failure = await applier.apply(peer, items, { recno, checksum, stretch }, log);
    await this.presto.invalidated(INVALIDATION_MS);
    // lento hears it in the answer; a notice of its own would come first and make it read the log twice.
    const { recno: end } = logs.kml.end;
    if (log) this.#announced = end;
    const outcome = failure === undefined ? 'applied' : `not applied (${failure.message})`;
    this.presto.log('debug', `${items.length} records of ${formatReplicaId(peer)}: ${outcome}`);
    return {
      expected: applier.expected(peer),
      recno: end,
      ...(failure === undefined
        ? {}
        : { reason: failure.reason, message: failure.message, ...failure.fault }),
    };
  }

  /** The mount is gone. Records that stayed behind would look as if made while cut off, and be in conflict later. */
  async close(): Promise<void> {
    const lento = this.#lento;
    if (lento?.isOpen === true) {
      this.presto.closeDirty();
      lento.notify('ending', { recno: this.presto.logs.kml.end.recno });
      await Promise.race([lento.closed, sleep(ENDING_MS, undefined, { ref: false })]);
    }
    this.#lento?.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.path, { force: true });
  }
}
