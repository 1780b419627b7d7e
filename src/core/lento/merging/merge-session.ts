import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { Opcode, type JournalRecord } from '../../model/records.js';
import { ChannelRefusal } from '../../psdev/channel.js';
import type { Divergence, Merge } from '../../replication/merge/merge.js';
import type { MergeTerms } from '../../replication/merge/merging.js';
import type { DirectoryTime, Question } from '../../replication/merge/outcome.js';
import type { ClientTree } from '../../replication/merge/tree-names.js';
import type { ConflictPolicy } from '../../replication/merge/rules.js';
import type { PeerBacklog } from '../records/peer-backlog.js';
import type { Replica } from '../replica.js';
import { ConflictFiles } from './conflict-files.js';
import { readLowerContents } from './lower-object.js';
import { MergeStage } from './merge-stage.js';
import { PlanFile } from './plan-file.js';
import { MergeImpossible, PlanBuilder, type ServerObjects } from './plan-builder.js';

export interface MergeJob {
  readonly replica: Replica;
  readonly hosts: { readonly client: string; readonly server: string };
  readonly policy: ConflictPolicy;
  /** The server's log. */
  readonly peer: ReplicaId;
  /** The server's records that this host does not have, what belongs to them, and what follows. */
  readonly news: readonly JournalRecord[];
  readonly times?: readonly DirectoryTime[];
  readonly objects: (stage: MergeStage) => ServerObjects;
  /** How it is decided. */
  readonly merge: (divergence: Divergence, terms: MergeTerms) => Merge;
  /** This host's tree. */
  readonly tree: ClientTree;
  readonly next: Recno;
  readonly checksum: number;
  /** The first of our records that the server does not have. */
  readonly replaces: Recno;
  /** Removes from the stage what has come with the records and was not taken out of it, once all is merged. */
  readonly discard: () => Promise<void>;
  /** What the server gets of our log. */
  readonly backlog: PeerBacklog;
}

export interface Merged {
  readonly end: Recno;
  readonly conflicts: number;
}

/**
 * Merges what both sides did while cut off: decides with the rules, gets from the server what is needed for it, and leaves
 * the doing to presto. @throws MergeImpossible, MergeRefused, and what connections and disks throw: then nothing was done
 */
export async function mergeWithServer(job: MergeJob): Promise<Merged> {
  const { replica, replaces } = job;
  const stage = new MergeStage(replica);
  let isPlanned = false;
  try {
    const { plan, conflicts } = await prepare(job, stage);
    // The record that says what is void gets the next number.
    const voids = replica.next;
    isPlanned = true;
    const end = await replica.merge(plan);
    replica.voided(replaces, voids);
    await stage.empty();
    await job.discard();
    return { end, conflicts };
  } catch (error) {
    // A presto that has taken the plan will go on with it, also after it has died, and needs what is in the stage.
    const isRefused = error instanceof ChannelRefusal && error.code === 'merge-refused';
    if (!isPlanned || isRefused) await stage.empty();
    throw error;
  }
}

/** @returns the name of the plan in the stage */
async function prepare(
  job: MergeJob,
  stage: MergeStage,
): Promise<{ plan: string; conflicts: number }> {
  const { replica, tree, news, times = [] } = job;
  const objects = job.objects(stage);
  const pending = pendingRecords(replica, job.replaces, job.backlog);
  const result = await decide(job, { tree, pending, news, times }, objects);
  const head = news.at(-1)?.head ?? pending.at(-1)?.head;
  if (head === undefined) throw new MergeImpossible('there is nothing to merge');
  const { policy, hosts } = job;
  const parties = { fileset: replica.fileset, ...hosts, policy };
  const conflicts = new ConflictFiles(replica, stage, objects, parties);
  await conflicts.write(result);
  const { peer, next, checksum, replaces } = job;
  const { end } = replica;
  const name = randomBytes(8).toString('hex');
  const about = { peer, next, checksum, replaces, end, conflicts: conflicts.names };
  const file = new PlanFile(stage.path(name), about);
  try {
    const plan = new PlanBuilder(
      replica,
      stage,
      objects,
      replica.next,
      result.nextFree,
      head,
      file.writer,
    );
    await plan.tell(result.amendments);
    await plan.do(result.steps);
    plan.identify(result.renewed);
    plan.fill();
    file.finish();
  } finally {
    file.close();
  }
  return { plan: name, conflicts: result.conflicts.length };
}

/** Records from `begin` on that no merge has made void; of a stretch that the server has in part, what is left of that. */
export function pendingRecords(
  replica: Replica,
  begin: Recno,
  backlog: PeerBacklog,
): JournalRecord[] {
  const { left, next: from } = backlog.rest(begin);
  const pending = left.map(({ record }) => record);
  const limits = { records: LIMITS.batchRecords, bytes: LIMITS.batchBytes };
  for (let next = from; next <= replica.end;) {
    const read = replica.reader.read(next, limits, replica.end);
    for (const { record } of read.records) {
      const { body } = record;
      if (body.op !== Opcode.NOOP) pending.push(record);
      else if (body.replaces > 0) {
        const kept = pending.filter((r) => r.head.recno < body.replaces);
        pending.splice(0, pending.length, ...kept);
      }
    }
    next = read.next;
  }
  return pending;
}

/** Decides, compares the contents that the decision hangs on, and decides again. */
async function decide(
  job: MergeJob,
  divergence: Divergence,
  objects: ServerObjects,
): Promise<Merge> {
  const answers = new Map<string, boolean>();
  const key = ({ client, server }: Question): string =>
    `${client.id.replica}:${client.id.number} ${server.id.replica}:${server.id.number}`;
  const terms: MergeTerms = {
    policy: job.policy,
    clientHost: job.hosts.client,
    serverHost: job.hosts.server,
    replica: job.replica.id,
    // One for the record that says what the amendments replace.
    firstFree: job.replica.next,
    sameContents: (client, server) => answers.get(key({ client, server })),
  };
  for (;;) {
    const result = job.merge(divergence, terms);
    if (result.questions.length === 0) return result;
    for (const question of result.questions) {
      answers.set(key(question), await isSame(job, divergence.news, question, objects));
    }
  }
}

/** Whether a file of this host has the contents of the server's last CLOSE of another. */
async function isSame(
  { replica }: MergeJob,
  news: readonly JournalRecord[],
  { client, server }: Question,
  objects: ServerObjects,
): Promise<boolean> {
  const closed = news.findLast(
    ({ head, body }) =>
      body.op === Opcode.CLOSE &&
      head.object.replica === server.id.replica &&
      head.object.number === server.id.number,
  );
  if (closed === undefined || client.disk === undefined) return false;
  const item = await objects.contentsOf(closed);
  if (item.content === 'none') return false;
  if (item.content === 'inline') {
    const chunks: Buffer[] = [];
    await readLowerContents(replica.lowerFd, client.disk, (chunk) => {
      chunks.push(Buffer.from(chunk));
      return Promise.resolve();
    });
    return Buffer.concat(chunks).equals(item.data);
  }
  const staged = await open(replica.stagePath(item.data.toString('latin1')), 'r');
  try {
    const theirs = Buffer.alloc(LIMITS.chunkBytes);
    let at = 0;
    let different = 0;
    const { size } = await readLowerContents(replica.lowerFd, client.disk, async (chunk) => {
      const { bytesRead } = await staged.read(theirs, 0, chunk.length, at);
      if (!chunk.equals(theirs.subarray(0, bytesRead))) different++;
      at += chunk.length;
    });
    return different === 0 && (await staged.stat()).size === size;
  } finally {
    await staged.close();
  }
}
