import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import type { Recno } from '../../model/ids.js';
import { E } from '../../system/errno.js';
import type { Exchange } from '../../wire/connection.js';
import { Code } from '../../wire/kinds.js';
import { encodeDigestPage, encodeReason } from '../../wire/messages.js';
import type { ServerContext } from '../server/context.js';
import type { ServerPeer } from '../server/peer.js';
import { DigestAnswers } from './answer.js';
import { askPage, settled } from './asking.js';
import { verifyStep, type OtherTree, type VerifyRequest, type VerifyStep } from './verifier.js';

/** A fileset's comparisons at its server: with any replicator, and between two of them. */
export class ServerVerify {
  readonly #answers: DigestAnswers;

  constructor(
    private readonly context: ServerContext,
    /** The barrier: resolves when all connected replicators have what was done here so far. */
    private readonly sync: () => Promise<unknown>,
  ) {
    this.#answers = new DigestAnswers(context.replica);
  }

  /** @throws IzoError not-connected */
  step(host: string, request: VerifyRequest): Promise<VerifyStep> {
    const { peers, replica } = this.context;
    const peer = peers.get(host);
    if (peer === undefined) throw notConnected(replica.fileset, host);
    return verifyStep(replica.lowerFd, this.#tree(peer), request);
  }

  #tree(peer: ServerPeer): OtherTree {
    return {
      page: (request) => askPage(peer.connection, peer.address, peer.name, request),
      settle: (end) => settled(Promise.all([this.sync(), this.#has(peer, end)])),
    };
  }

  /** Resolves when what the peer had logged up to `end` is here; rejects when it leaves. */
  async #has(peer: ServerPeer, end: Recno): Promise<void> {
    const { machine, peers } = this.context;
    const expected = (): Recno => machine.state.peers.get(peer.name)?.expected ?? 0;
    await machine.until(() => !peers.has(peer) || expected() > end);
    if (expected() <= end) throw new Error(`${peer.name} left`);
  }

  /** DIGEST of a replicator: about this host's tree, or that of another replicator. */
  async answer(payload: Buffer, exchange: Exchange): Promise<void> {
    const request = this.#answers.read(payload);
    const { self, peers, replica } = this.context;
    if (request.host === self) {
      await this.#answers.answer(request, exchange);
      return;
    }
    const peer = peers.get(request.host);
    if (peer === undefined) {
      exchange.reply(E.ENOTCONN, encodeReason('it is not connected to the server'));
      return;
    }
    const page = await askPage(peer.connection, peer.address, peer.name, request);
    // The asker knows of our log only: when it has that, it has theirs.
    await settled(this.#has(peer, page.end));
    exchange.reply(Code.ok, encodeDigestPage({ ...page, end: await replica.currentEnd() }));
  }
}

export function notConnected(fileset: string, host: string): IzoError {
  return new IzoError('not-connected', `${fileset} is not connected to ${host}`, {
    exit: EXIT.notRunning,
    remedy: 'See why: izo status',
  });
}
