import { hasLost, type Misfit } from '../../replication/lost-tail.js';
import { E } from '../../system/errno.js';
import type { Connection, Exchange } from '../../wire/connection.js';
import { Code } from '../../wire/kinds.js';
import {
  decodeHello,
  decodePosition,
  encodeHello,
  encodeReason,
  encodeNumber,
  encodePositionReply,
  PROTOCOL_VERSION,
} from '../../wire/messages.js';
import type { ServerContext } from './context.js';
import { helloRefusal, ServerPeer } from './peer.js';

/** HELLO: a replicator's connection is to be used for this fileset. */
export async function answerHello(
  { self, replica, peers }: ServerContext,
  name: string,
  connection: Connection,
  payload: Buffer,
  exchange: Exchange,
): Promise<void> {
  const hello = decodeHello(payload);
  const known = [{ name: self, replica: replica.id }, ...peers];
  const refusal = helloRefusal(hello, name, self, known);
  if (refusal !== undefined) {
    exchange.reply(refusal.code, encodeReason(refusal.reason));
    return;
  }
  const { fileset, session } = hello;
  const refuse = (last: number): void => exchange.reply(Code.late, encodeNumber(last));
  const last = peers.begin(name, session, connection);
  if (last !== undefined) {
    refuse(last);
    return;
  }
  await peers.settled(name);
  const claim = await replica.expected(hello.replica);
  const { expected } = claim;
  // Meanwhile it may have said hello once more.
  const later = peers.laterThan(name, session);
  if (later !== undefined) {
    refuse(later);
    return;
  }
  const address = { fileset, session };
  const flow = peers.flow(name);
  const progress = { expected, hasNews: hello.end >= expected, epoch: hello.current };
  peers.add(new ServerPeer(name, hello.replica, connection, address, replica, progress, flow));
  exchange.reply(
    Code.ok,
    encodeHello({
      version: PROTOCOL_VERSION,
      fileset,
      session,
      replica: replica.id,
      end: replica.end,
      current: replica.epoch,
      claim,
    }),
  );
}

/** POSITION: the replicator says what it expects of our log: it must be a place in it. */
export function answerPosition(
  { replica, machine, peers, log }: ServerContext,
  peer: ServerPeer,
  payload: Buffer,
  exchange: Exchange,
): void {
  const { name } = peer;
  const { claim, intact, resumes } = decodePosition(payload);
  const { expected: expects, stretch } = claim;
  const ours = replica.beginFor(claim);
  const agree = (): void =>
    machine.background(replica.agreed(peer.replica, peer.progress.epoch), 'noting an epoch');
  if (ours === 'trimmed') {
    agree();
    peers.errors.set(name, MISFITS.trimmed);
    log.info({ fileset: replica.fileset, peer: name }, `${name} takes the whole tree`);
    exchange.reply(Code.ok, encodePositionReply({ resumes: expects, behind: true }));
    const up = { type: 'peer-up', peer: name, theirs: expects, ours: resumes } as const;
    machine.dispatch({ ...up, behind: true });
    return;
  }
  if (typeof ours === 'string' || hasLost(expects, ours)) {
    const fault = `${typeof ours === 'string' ? MISFITS[ours] : LOST}: ${remedy(replica.fileset)}`;
    peers.errors.set(name, fault);
    peers.leave(name, fault);
    exchange.reply(E.EINVAL, encodeReason(fault));
    return;
  }
  peers.errors.delete(name);
  agree();
  peer.join({ intact, resumes }, stretch);
  exchange.reply(Code.ok, encodePositionReply({ resumes: ours.resumes, behind: false }));
  log.info({ fileset: replica.fileset, peer: name }, `${name} is connected`);
  const up = { type: 'peer-up', peer: name, theirs: ours.resumes, ours: resumes } as const;
  machine.dispatch({ ...up, behind: false });
}

/** Replicators do not log what they get, so nobody can give these back. */
const LOST = 'it has seen records that this log has lost in a power cut';

/** Why what a replicator expects of our log is no place in it. */
const MISFITS: Readonly<Record<Misfit, string>> = {
  restored: 'it has seen records that this log does not have (any more)',
  other: 'its history is not that of this log',
  lost: LOST,
  unproven:
    'it is further behind than this log reaches, and nobody can tell whether it has seen the same history',
  replaced: 'it has followed another log',
  trimmed:
    'it is further behind than this log reaches (see backlog in fsetdb): it takes the whole tree',
};

function remedy(fileset: string): string {
  const reset = `\`izo recovery ${fileset} --reset\``;
  return `the cache of one of the two was restored from a backup, or replaced; unmount it, and ${reset} there (the server's: then on all)`;
}
