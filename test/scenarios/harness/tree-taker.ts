import type { ClientEvent, ClientState } from '../../../src/core/replication/client.js';
import type { Host, World } from './host.js';
import type { PaperBacklog } from './paper-backlog.js';
import type { Psdev } from './psdev.js';
import type { End, Walked } from './wire.js';

/** What a shell lends to the resync of its fileset. */
export interface TreeTakerOwner {
  readonly session: () => {
    end: End | undefined;
    session: number;
    theirs: number;
    backlog: PaperBacklog;
  };
  readonly state: () => ClientState;
  readonly dispatch: (event: ClientEvent) => void;
  readonly failed: (reason: string) => void;
  readonly merging: (merging: boolean) => void;
}

/** ClientResync in memory: the server shows its tree at once, but that takes it time. */
export class TreeTaker {
  constructor(
    private readonly host: Host,
    private readonly psdev: Psdev,
    private readonly world: World,
    private readonly owner: TreeTakerOwner,
  ) {}

  fetch(): void {
    this.#walk(() => this.owner.dispatch({ type: 'tree-fetched' }));
  }

  take(): void {
    this.#walk((walked, end) => this.#take(walked, end));
  }

  #isOver(end: End): boolean {
    return end !== this.owner.session().end || this.owner.state().link !== 'resync';
  }

  #walk(use: (walked: Walked, end: End) => void): void {
    const { end, session } = this.owner.session();
    end?.request(session, { kind: 'walk' }, (reply) => {
      if (this.#isOver(end) || session !== this.owner.session().session) return;
      if (reply.kind === 'tree') use(reply, end);
      else this.owner.failed('it does not show its tree');
    });
  }

  /** What differs is merged as if the server had told of it. */
  #take(walked: Walked, end: End): void {
    const { world, host, owner } = this;
    const { session, theirs, backlog } = owner.session();
    const isStill = walked.still || owner.state().permit.type === 'granted';
    if (!isStill && world.plant !== 'trust-walk') {
      owner.dispatch({ type: 'tree-changed' });
      return;
    }
    end.leave(session, 'it has the whole tree');
    const plan = {
      ...{ peer: world.serverName, serverName: world.serverName, items: [] },
      ...{ next: walked.recno + 1, checksum: walked.checksum, replaces: theirs },
      ...{ end: host.presto.end, backlog, server: walked.tree, whole: walked.history },
    };
    owner.merging(true);
    this.psdev.request({ kind: 'merge', plan }, (reply) => {
      const isOver = this.#isOver(end);
      if (reply.failure === undefined) {
        world.trace(`${host.name}: took the tree`);
        owner.dispatch({ type: 'log-grew', end: reply.end });
        if (!isOver) owner.dispatch({ type: 'link-up' });
      } else if (!isOver) owner.failed(`the tree cannot be taken: ${reply.failure}`);
      owner.merging(false);
    });
  }
}
