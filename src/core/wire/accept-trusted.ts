import type { Socket } from 'node:net';
import type { Accept, AcceptContext } from './accept.js';
import { receiveClaim, sendVerdict } from './claim.js';

/** Accepts clients on a trusted network, as who they say they are. */
export function acceptTrusted(options: AcceptContext): Accept {
  const accept = async (socket: Socket, from: string): Promise<void> => {
    const timer = setTimeout(() => socket.destroy(), options.handshakeMs).unref();
    const claim = await receiveClaim(socket);
    clearTimeout(timer);
    if (claim === 'closed') return;
    if (typeof claim === 'string' || claim.server !== options.host) {
      const reason =
        claim === 'tls'
          ? 'it uses keys, but we were started with --trusted-network'
          : 'it does not say who it is, or not to us';
      options.log.warn({ from, reason }, 'a connection was refused');
      sendVerdict(socket, false);
      socket.destroySoon();
      return;
    }
    options.passed(from);
    sendVerdict(socket, true);
    options.onConnection({ socket, identity: claim, authenticated: false, from });
  };
  return (socket, from) => {
    accept(socket, from).catch((error: unknown) => {
      options.log.error({ from, err: error }, 'a connection could not be accepted');
      socket.destroy();
    });
  };
}
