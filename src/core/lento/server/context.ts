import type { ServerEffect, ServerEvent, ServerState } from '../../replication/server.js';
import type { LentoLog } from '../log.js';
import type { LogKeeper } from '../log-keeper.js';
import type { Machine } from '../machine.js';
import type { RecordSource } from '../records/record-source.js';
import type { Replica } from '../replica.js';
import type { ServerPeers } from './peers.js';

export type ServerMachine = Machine<ServerState, ServerEvent, ServerEffect>;

/** What the parts of a fileset at its server share. */
export interface ServerContext {
  /** This host. */
  readonly self: string;
  readonly replica: Replica;
  readonly machine: ServerMachine;
  readonly peers: ServerPeers;
  readonly source: RecordSource;
  readonly log: LentoLog;
  readonly keeper: LogKeeper;
}
