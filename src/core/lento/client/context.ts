import type { ClientEffect, ClientEvent, ClientState } from '../../replication/client.js';
import type { ConflictPolicy } from '../../replication/merge/rules.js';
import type { LentoLog } from '../log.js';
import type { LogKeeper } from '../log-keeper.js';
import type { Machine } from '../machine.js';
import type { Replica } from '../replica.js';

export type ClientMachine = Machine<ClientState, ClientEvent, ClientEffect>;

/** What the parts of a fileset at one of its replicators share. */
export interface ClientContext {
  /** The host that serves it. */
  readonly server: string;
  readonly replica: Replica;
  readonly machine: ClientMachine;
  readonly log: LentoLog;
  readonly keeper: LogKeeper;
  /** Who merges what both sides did while cut off, and how. */
  readonly merging: {
    readonly hosts: { readonly client: string; readonly server: string };
    readonly policy: ConflictPolicy;
  };
  /** Notes that the fileset is in sync with its server. */
  readonly onSynced: () => void;
}
