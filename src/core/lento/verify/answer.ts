import { isValidPath } from '../../model/names.js';
import type { Exchange } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Code } from '../../wire/kinds.js';
import { decodeDigestRequest, encodeDigestPage, type DigestRequest } from '../../wire/messages.js';
import type { Replica } from '../replica.js';
import { Semaphore } from '../semaphore.js';
import { digestPage } from './page.js';

/**
 * Answers DIGEST of one fileset, one page at a time: it costs reading, and who asks for many pages at once is to have no
 * more of this host than who asks for one after the other.
 */
export class DigestAnswers {
  readonly #one = new Semaphore(1);

  constructor(private readonly replica: Replica) {}

  /** @throws ProtocolError for a path that no tree has */
  read(payload: Buffer): DigestRequest {
    const request = decodeDigestRequest(payload);
    const { path, after } = request;
    if (!isValidPath(path, true) || (after !== undefined && !isValidPath(after, true))) {
      throw new ProtocolError('an impossible path');
    }
    return request;
  }

  async answer(request: DigestRequest, exchange: Exchange): Promise<void> {
    await this.#one.run(async () => {
      if (!exchange.open) return;
      const { entries, last } = await digestPage(
        this.replica.lowerFd,
        request,
        undefined,
        () => exchange.open,
      );
      // Asked for afterwards, so that it covers all that was seen.
      const end = await this.replica.currentEnd();
      exchange.reply(Code.ok, encodeDigestPage({ end, last, entries }));
    });
  }
}
