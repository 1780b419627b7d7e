import type { Recno } from '../../../src/core/model/ids.js';
import type { Begin } from '../../../src/core/replication/lost-tail.js';
import type { PaperTree } from '../../support/paper/tree.js';
import type { Batch } from './presto.js';
import type { Progress } from './updates.js';

export type Request =
  | { readonly kind: 'hello'; readonly end: Recno; readonly current: number }
  | ({
      readonly kind: 'position';
      readonly claim: Progress;
    } & Begin)
  | { readonly kind: 'permit' }
  | { readonly kind: 'walk' }
  | { readonly kind: 'revoke'; readonly generation: number }
  | { readonly kind: 'records'; readonly batch: Batch }
  | { readonly kind: 'fetch'; readonly recno: Recno };

/** The whole tree of a server. */
export interface Walked {
  /** The updates that are in it. */
  readonly history: readonly string[];
  readonly tree: PaperTree | undefined;
  readonly recno: Recno;
  readonly checksum: string;
  /** It was not changed meanwhile. */
  readonly still: boolean;
}

export type Reply =
  /** With the contents that were fetched, if these are still there. */
  | { readonly kind: 'ok'; readonly data?: string | undefined }
  /** The hello is older than this session. */
  | { readonly kind: 'late'; readonly session: number }
  | { readonly kind: 'refused'; readonly message: string }
  /** The logs do not fit. */
  | { readonly kind: 'misfit'; readonly message: string }
  /** Hello: what the server has of the client's log, and the epoch of its own. */
  | { readonly kind: 'welcome'; readonly claim: Progress; readonly current: number }
  | { readonly kind: 'expects'; readonly expected: Recno }
  | { readonly kind: 'begins'; readonly resumes: Recno; readonly behind: boolean }
  | ({ readonly kind: 'tree' } & Walked)
  | { readonly kind: 'granted'; readonly generation: number; readonly upto: Recno }
  | { readonly kind: 'stopped'; readonly end: Recno };

/** What a connection carries for one of its filesets. */
type Content =
  | {
      readonly type: 'request';
      readonly token: number;
      readonly session: number;
      readonly request: Request;
    }
  | { readonly type: 'reply'; readonly token: number; readonly reply: Reply }
  | { readonly type: 'leave'; readonly session: number; readonly reason: string };

export type Message =
  (Content & { readonly fileset: string }) | { readonly type: 'closed'; readonly reason: string };

/** What an end does with what comes; answers may come later. */
export interface Receiver {
  request(end: End, session: number, request: Request, answer: (reply: Reply) => void): void;
  leave(end: End, session: number, reason: string): void;
  closed(end: End, reason: string): void;
}

/** One end of a connection, which all filesets of a client and a server share: what is sent arrives in that order, or not at all. */
export class Socket {
  readonly inbox: Message[] = [];
  /** False once this end knows that it is over. */
  open = true;
  #other: Socket | undefined;
  readonly #ends = new Map<string, End>();
  #tokens = 0;

  private constructor(
    readonly from: string,
    readonly to: string,
  ) {}

  static pair(from: string, to: string): { client: Socket; server: Socket } {
    const pair = { client: new Socket(from, to), server: new Socket(to, from) };
    pair.client.#other = pair.server;
    pair.server.#other = pair.client;
    return pair;
  }

  /** @param later does something after all that arrived with it: promises are settled later than handlers are called */
  end(fileset: string, later: (work: () => void) => void): End {
    const end = new End(this, fileset, later);
    this.#ends.set(fileset, end);
    return end;
  }

  /** Requests of all filesets are told apart by it. */
  newToken(): number {
    return ++this.#tokens;
  }

  /** Both ends are there, as far as both know, and what is sent arrives. */
  get whole(): boolean {
    return this.open && this.#other?.open === true && this.#sound && this.#other.#sound;
  }

  get #sound(): boolean {
    return !this.inbox.some((message) => message.type === 'closed');
  }

  send(message: Message): void {
    const other = this.#other;
    if (this.open && other?.open === true && other.#sound) other.inbox.push(message);
  }

  /** This end closes, for all filesets: what was sent before still arrives. */
  close(reason: string): void {
    if (!this.open) return;
    this.send({ type: 'closed', reason });
    this.open = false;
    this.inbox.length = 0;
    for (const end of this.#ends.values()) end.later(() => end.receiver?.closed(end, reason));
  }

  /** The network is gone: of what is under way at most the first `kept` messages arrive, then this end notices. */
  sever(kept: number): void {
    if (!this.open || !this.#sound) return;
    this.inbox.splice(kept);
    this.inbox.push({ type: 'closed', reason: 'nothing heard' });
  }

  /** Takes the next message. */
  take(): void {
    const message = this.inbox.shift();
    if (message === undefined) return;
    if (message.type !== 'closed') {
      this.#ends.get(message.fileset)?.take(message);
      return;
    }
    this.open = false;
    this.inbox.length = 0;
    for (const end of this.#ends.values()) end.receiver?.closed(end, message.reason);
  }
}

const NOT_MOUNTED: Reply = { kind: 'refused', message: 'it is not mounted' };

/** One end of a connection, as one of its filesets has it. */
export class End {
  receiver: Receiver | undefined;
  readonly #unanswered = new Set<number>();
  readonly #asked = new Map<number, (reply: Reply) => void>();

  constructor(
    readonly socket: Socket,
    private readonly fileset: string,
    readonly later: (work: () => void) => void,
  ) {}

  get to(): string {
    return this.socket.to;
  }

  request(session: number, request: Request, onReply: (reply: Reply) => void): void {
    const token = this.socket.newToken();
    this.#asked.set(token, onReply);
    this.#send({ type: 'request', token, session, request });
  }

  leave(session: number, reason: string): void {
    this.#send({ type: 'leave', session, reason });
  }

  #send(content: Content): void {
    this.socket.send({ ...content, fileset: this.fileset });
  }

  close(reason: string): void {
    this.socket.close(reason);
  }

  #answer(token: number, reply: Reply): void {
    if (this.#unanswered.delete(token)) this.#send({ type: 'reply', token, reply });
  }

  /** The fileset is not mounted here any more. @param session that the peer is told to leave, if there is one */
  detach(session?: number): void {
    if (session !== undefined) this.leave(session, 'the fileset was unmounted');
    this.receiver = undefined;
    for (const token of this.#unanswered) this.#answer(token, NOT_MOUNTED);
  }

  take(message: Content): void {
    switch (message.type) {
      case 'request': {
        const { token, session, request } = message;
        this.#unanswered.add(token);
        this.receiver?.request(this, session, request, (reply) => this.#answer(token, reply));
        if (this.receiver === undefined) this.#answer(token, NOT_MOUNTED);
        return;
      }
      case 'reply': {
        const settle = this.#asked.get(message.token);
        this.#asked.delete(message.token);
        if (settle !== undefined) this.later(() => settle(message.reply));
        return;
      }
      case 'leave':
        this.receiver?.leave(this, message.session, message.reason);
        return;
    }
  }
}

export function describeMessage(message: Message): string {
  if (message.type === 'closed') return `closed: ${message.reason}`;
  const label = message.fileset === '' ? '' : `${message.fileset}: `;
  return label + describeContent(message);
}

function describeContent(message: Content): string {
  switch (message.type) {
    case 'request':
      return describeRequest(message.request, message.session);
    case 'reply':
      return describeReply(message.reply);
    case 'leave':
      return `leave: ${message.reason}`;
  }
}

function describeRequest(request: Request, session: number): string {
  switch (request.kind) {
    case 'hello':
      return `hello, session ${session}`;
    case 'position': {
      const { claim, intact, resumes } = request;
      const left = resumes > intact + 1 ? `, has none from ${intact + 1} to ${resumes - 1}` : '';
      return `position: expects ${claim.expected}${left}`;
    }
    case 'permit':
      return 'permit wanted';
    case 'walk':
      return 'show the tree';
    case 'revoke':
      return `revoke generation ${request.generation}`;
    case 'fetch':
      return `fetch ${request.recno}`;
    case 'records': {
      const { items, next, acked } = request.batch;
      const ids = items.map(({ rec }) => rec.id).join(' ');
      return `records ${ids === '' ? 'none' : ids}, next ${next}, expects ${acked}`;
    }
  }
}

function describeReply(reply: Reply): string {
  switch (reply.kind) {
    case 'ok':
      return 'ok';
    case 'late':
      return `late: session ${reply.session} has begun`;
    case 'misfit':
      return `misfit: ${reply.message}`;
    case 'refused':
      return `refused: ${reply.message}`;
    case 'welcome':
      return `expects ${reply.claim.expected}`;
    case 'expects':
      return `expects ${reply.expected}`;
    case 'begins':
      return reply.behind ? `does not go back to ${reply.resumes}` : `begins with ${reply.resumes}`;
    case 'tree': {
      const { history, recno, still } = reply;
      const moved = still ? '' : ', which changed meanwhile';
      return `tree ${history.join(' ')}, of record ${recno}${moved}`;
    }
    case 'granted':
      return `granted generation ${reply.generation} upto ${reply.upto}`;
    case 'stopped':
      return `stopped at ${reply.end}`;
  }
}
