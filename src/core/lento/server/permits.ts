import type { ServerEffect } from '../../replication/server.js';
import type { Exchange } from '../../wire/connection.js';
import { Code, Kind } from '../../wire/kinds.js';
import { decodeNumber, encodeGrant, encodeRevocation } from '../../wire/messages.js';
import type { ServerContext } from './context.js';
import type { ServerPeer } from './peer.js';

/** The permit on its way from one host to another: this host's presto, or PERMIT and REVOKE. */
export class ServerPermits {
  constructor(private readonly context: ServerContext) {}

  /** This host's programs may update. */
  grantSelf(): void {
    const { machine, replica } = this.context;
    machine.background(replica.setGate('held'), 'granting the permit here');
  }

  revokeSelf(): void {
    this.context.machine.background(this.#revokeSelf(), 'taking the permit from here');
  }

  async #revokeSelf(): Promise<void> {
    const { machine, replica } = this.context;
    const end = await replica.setGate('absent');
    replica.announced(end);
    machine.dispatch({ type: 'log-grew', end });
    machine.dispatch({ type: 'self-released', end });
  }

  requested(peer: ServerPeer, exchange: Exchange): void {
    peer.permits.push(exchange);
    this.context.machine.dispatch({ type: 'permit-request', peer: peer.name });
  }

  grant({ peer: name, generation, upto }: ServerEffect & { type: 'grant' }): void {
    const waiting = this.context.peers.get(name)?.permits.splice(0) ?? [];
    for (const exchange of waiting) exchange.reply(Code.ok, encodeGrant({ generation, upto }));
  }

  revoke({ peer, generation }: ServerEffect & { type: 'revoke' }): void {
    this.context.machine.background(this.#revoke(peer, generation), 'taking the permit back');
  }

  async #revoke(name: string, generation: number): Promise<void> {
    const { peers, machine } = this.context;
    const peer = peers.get(name);
    if (peer === undefined) return;
    const payload = encodeRevocation({ ...peer.address, generation });
    const reply = await peer.connection.request(Kind.REVOKE, payload);
    if (reply.code !== Code.ok || !peers.has(peer)) return;
    machine.dispatch({ type: 'permit-released', peer: name, end: decodeNumber(reply.payload) });
  }
}
