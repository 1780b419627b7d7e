import type { Recno } from '../../model/ids.js';
import type { GateState } from '../../psdev/messages.js';
import type { Exchange } from '../../wire/connection.js';
import { Code, Kind } from '../../wire/kinds.js';
import { decodeGrant, decodeRevocation, encodeAddress, encodeNumber } from '../../wire/messages.js';
import type { ClientContext } from './context.js';
import type { ClientLink } from './link.js';

/** The permit on its way to this host's presto and back to the server. */
export class ClientPermits {
  /** REVOKE requests to be answered when presto has stopped. */
  #revocations: Exchange[] = [];

  constructor(
    private readonly context: ClientContext,
    private readonly link: ClientLink,
  ) {}

  /** Whether this host's programs may update. */
  setGate(state: GateState): void {
    this.context.machine.background(this.#setGate(state), 'setting the gate');
  }

  async #setGate(state: GateState): Promise<void> {
    const { replica, machine, onSynced } = this.context;
    const end = await replica.setGate(state);
    replica.announced(end);
    if (state === 'absent') machine.dispatch({ type: 'presto-released', end });
    if (state === 'held') onSynced();
  }

  ask(): void {
    this.context.machine.background(this.#ask(), 'asking for the permit');
  }

  async #ask(): Promise<void> {
    const { machine } = this.context;
    const { connection } = this.link;
    const reply = await connection?.request(Kind.PERMIT, encodeAddress(this.link.address));
    if (reply?.code !== Code.ok || connection !== this.link.connection) return;
    machine.dispatch({ type: 'granted', ...decodeGrant(reply.payload) });
  }

  revoked(payload: Buffer, exchange: Exchange): void {
    this.#revocations.push(exchange);
    const { generation } = decodeRevocation(payload);
    this.context.machine.dispatch({ type: 'revoked', generation });
  }

  /** This host's last record made with the permit is `end`. */
  answerRevoke(end: Recno): void {
    for (const exchange of this.#revocations.splice(0)) exchange.reply(Code.ok, encodeNumber(end));
  }

  forget(): void {
    this.#revocations = [];
  }
}
