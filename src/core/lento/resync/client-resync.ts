import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { TreeEntry } from '../../model/object-description.js';
import { mergeTree } from '../../replication/resync/merge-tree.js';
import { newsFrom } from '../../replication/resync/news.js';
import { refreshed } from '../../replication/resync/touched.js';
import { Snapshot } from '../../replication/resync/snapshot.js';
import type { Connection } from '../../wire/connection.js';
import { Kind } from '../../wire/kinds.js';
import { encodeLeave, type Address, type WalkTrailer } from '../../wire/messages.js';
import type { ClientContext } from '../client/context.js';
import type { ClientLink } from '../client/link.js';
import { errorText } from '../error-text.js';
import type { ResyncStatus } from '../status/fileset-status.js';
import { mergeWithServer, pendingRecords } from '../merging/merge-session.js';
import type { PeerBacklog } from '../records/peer-backlog.js';
import { lowerEntries } from './lower-entries.js';
import { tooMany, walkServer } from './server-tree.js';
import { StagedContents } from './staged-contents.js';
import { hasContents, TreeObjects } from './tree-objects.js';

/** The session that a step of the resync belongs to: when it is over, so is the step. */
interface Session {
  readonly connection: Connection;
  readonly address: Address;
  readonly server: ReplicaId;
  /** The first of our records that the server does not have. */
  readonly theirs: Recno;
  /** What it has of our log in part. */
  readonly backlog: PeerBacklog;
}

/** The server's tree as it was looked at. */
interface Walk {
  readonly entries: readonly TreeEntry[];
  readonly trailer: WalkTrailer;
}

interface Standing {
  readonly session: number;
  readonly own: Snapshot;
  readonly staged: StagedContents;
}

/**
 * A replicator that the server's log does not reach takes the server's tree. Nearly all contents are collected in the stage
 * while everybody goes on; then both trees, standing still, are compared by identities and versions, and what differs is
 * merged like news of the server's with what this host has not sent.
 */
export class ClientResync {
  #working: Promise<void> = Promise.resolve();
  /** This host's tree, which stands still while the server's is taken, of that session; and what is in its stage. */
  #standing: Standing | undefined;
  #walked: (Walk & { readonly session: number }) | undefined;
  #status: ResyncStatus | undefined;

  constructor(
    private readonly context: ClientContext,
    private readonly link: ClientLink,
  ) {}

  get status(): ResyncStatus | undefined {
    return this.context.machine.state.link === 'resync' ? this.#status : undefined;
  }

  /** Resolves when nothing is being merged any more. */
  async idle(): Promise<void> {
    await this.#working.catch(() => undefined);
  }

  fetchTree(): void {
    this.#begin((session) => this.#fetchTree(session));
  }

  takeTree(): void {
    this.#begin((session) => this.#takeTree(session));
  }

  #begin(step: (session: Session) => Promise<void>): void {
    const { connection, address, server, theirs, backlog } = this.link;
    if (connection === undefined || backlog === undefined) return;
    const { machine } = this.context;
    const session = { connection, address, server, theirs, backlog };
    this.#working = step(session).catch((error: unknown) => {
      this.#standing = this.#walked = undefined;
      this.link.flow.failed(error);
      if (!this.#isOver(address)) this.link.failed(`the tree cannot be taken: ${errorText(error)}`);
    });
    machine.background(this.#working, 'taking the tree');
  }

  #isOver(address: Address): boolean {
    return (
      this.context.machine.state.link !== 'resync' || this.link.address.session !== address.session
    );
  }

  async #fetchTree(session: Session): Promise<void> {
    const { replica, log, machine, server } = this.context;
    const { fileset } = replica;
    log.warn(
      { fileset },
      `further behind than the log of ${server} reaches: its whole tree is taken`,
    );
    const staged = new StagedContents(replica);
    // It may change; what is missed by that is fetched when it stands still.
    const own = new Snapshot(await this.#ownEntries());
    for (let round = 1; round <= LIMITS.resyncRounds; round++) {
      const { entries } = await this.#walk(session);
      const missing = missingOf(staged, entries, own);
      log.info({ fileset, round, entries: entries.length, missing: missing.length }, 'resync');
      await this.#fetch(staged, missing, session);
      if (missing.length <= LIMITS.resyncFewFiles) break;
    }
    if (!this.#isOver(session.address)) machine.dispatch({ type: 'tree-fetched' });
  }

  /** The server's tree: all of it the first time, then what has changed. */
  async #walk(session: Session): Promise<Walk> {
    const { connection, address } = session;
    this.#status = { phase: 'comparing', entries: 0, files: 0, missing: 0, bytes: 0 };
    const note = (entries: number): void => this.#note({ entries });
    const known = this.#walked?.session === address.session ? this.#walked : undefined;
    const since = known?.trailer.recno ?? 0;
    let walk: Walk | undefined = await walkServer(connection, address, since, note);
    const { touched } = walk.trailer;
    if (known !== undefined && touched !== undefined) {
      const entries = refreshed(known.entries, touched, walk.entries);
      walk = entries === undefined ? undefined : { entries, trailer: walk.trailer };
    }
    walk ??= await walkServer(connection, address, 0, note);
    if (walk.entries.length > LIMITS.resyncEntries) throw tooMany();
    this.#walked = { session: address.session, ...walk };
    return walk;
  }

  #note(change: Partial<ResyncStatus>): void {
    if (this.#status !== undefined) this.#status = { ...this.#status, ...change };
  }

  async #ownEntries(): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    for await (const entry of lowerEntries(this.context.replica.lowerFd)) entries.push(entry);
    return entries;
  }

  async #fetch(
    staged: StagedContents,
    missing: readonly TreeEntry[],
    { connection, address }: Session,
  ): Promise<void> {
    let files = 0;
    let bytes = 0;
    this.#note({ phase: 'fetching', missing: missing.length });
    await staged.fetch(missing, connection, address, this.link.flow, (size) => {
      files++;
      bytes += size;
      this.#note({ files, bytes });
    });
  }

  async #takeTree(session: Session): Promise<void> {
    const { machine } = this.context;
    const { connection, address } = session;
    const isHeld = machine.state.permit.type === 'granted';
    const { own, staged } = await this.#stand(address);
    const { entries, trailer } = await this.#walk(session);
    const isStill = isHeld || trailer.still;
    await this.#fetch(staged, missingOf(staged, entries, own), session);
    const isWhole = isStill && missingOf(staged, entries, own).length === 0;
    if (this.#isOver(address)) return;
    if (!isWhole) {
      if (isHeld) throw new Error('contents have changed at the server, which should stand still');
      machine.dispatch({ type: 'tree-changed' });
      return;
    }
    this.#standing = undefined;
    this.#walked = undefined;
    // Nothing of the server's is needed any more: whoever waits for the permit gets it.
    connection.notify(Kind.LEAVE, encodeLeave({ ...address, reason: 'it has the whole tree' }));
    // What was said leaves when this turn is over, and the next one is long.
    await new Promise((resume) => setImmediate(resume));
    this.#note({ phase: 'merging' });
    await this.#merge(session, { server: new Snapshot(entries), own, staged, trailer });
  }

  /** Looks once: when it looks at the server's tree again, others wait. */
  async #stand({ session }: Address): Promise<Standing> {
    if (this.#standing?.session === session) return this.#standing;
    const own = new Snapshot(await this.#ownEntries());
    const staged = new StagedContents(this.context.replica);
    return (this.#standing = { session, own, staged });
  }

  async #merge(
    session: Session,
    found: { server: Snapshot; own: Snapshot; staged: StagedContents; trailer: WalkTrailer },
  ): Promise<void> {
    const { replica, merging, log, machine } = this.context;
    const { server, theirs, backlog } = session;
    const { recno, checksum } = found.trailer;
    const fallback = { replica: server, recno };
    const pending = pendingRecords(replica, theirs, backlog);
    const { records, times } = newsFrom(found.server, found.own, pending, fallback);
    const { end, conflicts } = await mergeWithServer({
      ...merging,
      replica,
      peer: server,
      news: records,
      times,
      objects: (stage) => new TreeObjects(replica, stage, found.server, found.own, found.staged),
      discard: () => Promise.resolve(),
      merge: mergeTree,
      tree: found.own,
      next: recno + 1,
      checksum,
      replaces: theirs,
      backlog,
    });
    found.staged.clear();
    this.link.flow.passed('from');
    const news = records.length - 1;
    log.info({ fileset: replica.fileset, news, conflicts }, 'the tree is that of the server');
    machine.dispatch({ type: 'log-grew', end });
    if (!this.#isOver(session.address)) machine.dispatch({ type: 'link-up' });
  }
}

/** Files whose contents have yet to come. */
function missingOf(
  staged: StagedContents,
  entries: readonly TreeEntry[],
  own: Snapshot,
): TreeEntry[] {
  return staged.missing(entries, ({ object, content }) => hasContents(own.byId(object), content));
}
