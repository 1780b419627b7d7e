import type { Recno } from '../../model/ids.js';
import type { Exchange } from '../../wire/connection.js';
import type { ClientContext } from '../client/context.js';
import type { ClientLink } from '../client/link.js';
import { E } from '../../system/errno.js';
import { encodeReason } from '../../wire/messages.js';
import { DigestAnswers } from './answer.js';
import { askPage, settled } from './asking.js';
import { notConnected } from './server-verify.js';
import { verifyStep, type VerifyRequest, type VerifyStep } from './verifier.js';

/** A fileset's comparisons at a replicator: with the server, and by way of the server with another replicator. */
export class ClientVerify {
  readonly #answers: DigestAnswers;

  constructor(
    private readonly context: ClientContext,
    private readonly link: ClientLink,
    /** The barrier: resolves when the server and all that it reaches have what was done here so far. */
    private readonly sync: () => Promise<unknown>,
  ) {
    this.#answers = new DigestAnswers(context.replica);
  }

  /** @throws IzoError not-connected */
  step(host: string, request: VerifyRequest): Promise<VerifyStep> {
    const { machine, replica, server } = this.context;
    const { connection, address } = this.link;
    if (connection === undefined || machine.state.link !== 'up') {
      throw notConnected(replica.fileset, server);
    }
    return verifyStep(
      replica.lowerFd,
      {
        page: (page) => askPage(connection, address, host, page),
        settle: (end) => settled(Promise.all([this.sync(), this.#applied(end)])),
      },
      request,
    );
  }

  async #applied(end: Recno): Promise<void> {
    const { machine } = this.context;
    await machine.until(() => machine.state.link !== 'up' || machine.state.expected > end);
    if (machine.state.expected <= end) throw new Error('disconnected');
  }

  /** DIGEST of the server, which asks about this host only. */
  async answer(self: string, payload: Buffer, exchange: Exchange): Promise<void> {
    const request = this.#answers.read(payload);
    if (request.host === self) await this.#answers.answer(request, exchange);
    else exchange.reply(E.EINVAL, encodeReason(`${request.host} is not ${self}`));
  }
}
