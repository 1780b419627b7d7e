import { copyFile, rm } from 'node:fs/promises';
import { encodeRecord } from '../../journal/index.js';
import { NO_STAMP, ROOT_OBJECT, type Recno, type ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { Opcode, type JournalRecord, type RecordHead } from '../../model/records.js';
import type { WireItem } from '../../psdev/items.js';
import type { MergeStep } from '../../psdev/merge-plan.js';
import type { MergeObject } from '../../replication/merge/merge-object.js';
import type { Amendment, ClientStep } from '../../replication/merge/outcome.js';
import type { ObjectDescription } from '../../wire/messages.js';
import type { Replica } from '../replica.js';
import { readLowerObject, type LowerObject } from './lower-object.js';
import type { MergeStage } from './merge-stage.js';
import { objectRecords } from './object-records.js';

const EMPTY = Buffer.alloc(0);
/** Time that making a plan may take from other work, at a stretch. */
const SLICE_MS = 8;

/** A merge that cannot be made now: the fileset says hello again later. */
export class MergeImpossible extends Error {
  override readonly name = 'MergeImpossible';
}

/** Takes what a plan has. Encoded records are the caller's again afterwards. */
export interface PlanSink {
  step(step: MergeStep): void;
  amendment(record: Buffer): void;
}

/** What the plan needs from the server. */
export interface ServerObjects {
  /** The contents that came with a CLOSE of the server's. */
  contentsOf(record: JournalRecord): Promise<WireItem>;
  /** A whole object; its contents are in the stage under `name` afterwards. */
  fetch(serverPath: string, name: string): Promise<ObjectDescription>;
  /** A whole object; its contents are in `file` afterwards. */
  fetchTo(serverPath: string, file: string): Promise<ObjectDescription>;
}

/**
 * Makes what presto can carry out alone from what the merge has decided: every record whole, all contents in the stage, all
 * of this host's objects read.
 */
export class PlanBuilder {
  #amendments = 0;
  readonly #scratch = Buffer.alloc(LIMITS.recordBytes);
  /** Identities that this host's objects get by being told to the server. */
  readonly #renewed = new Map<MergeObject, JournalRecord[]>();
  /** Copies of this host's files, by the object that they are to be. */
  readonly #copies = new Map<MergeObject, LowerObject>();

  /** @param first the number that the log gives to the record before all amendments */
  constructor(
    private readonly replica: Replica,
    private readonly stage: MergeStage,
    private readonly server: ServerObjects,
    private readonly first: Recno,
    private nextFree: Recno,
    private readonly template: RecordHead,
    private readonly out: PlanSink,
  ) {}

  #reserve = (): { origin: ReplicaId; originRecno: number } => ({
    origin: this.replica.id,
    originRecno: this.nextFree++,
  });

  #encode({ head, body }: JournalRecord): Buffer {
    const length = encodeRecord(this.#scratch, 0, head.recno, 0, head, body);
    if (length < 0) throw new MergeImpossible('a record of the merge cannot be written');
    return this.#scratch.subarray(0, length);
  }

  #apply(record: JournalRecord, contents?: Omit<WireItem, 'record'>): void {
    const { content, data } = contents ?? { content: 'none', data: EMPTY };
    this.out.step({ type: 'apply', item: { record: this.#encode(record), content, data } });
  }

  /** Nobody believes in updates that are yet to be made: the log has a number that was given out, or larger ones, for each. */
  #amend(record: JournalRecord): void {
    this.#fillUpTo(record.head.originRecno);
    this.#tell(record);
  }

  #tell(record: JournalRecord): void {
    this.#amendments++;
    this.out.amendment(this.#encode(record));
  }

  #fillUpTo(number: Recno): void {
    for (let next = this.#nextRecno; next < number; next++) {
      const from = { origin: this.replica.id, originRecno: next };
      const head = { ...this.template, ...from, object: ROOT_OBJECT, before: NO_STAMP };
      this.#tell({ head, body: { op: Opcode.NOOP, replaces: 0 } });
    }
  }

  /** What the log gives to the next amendment. */
  get #nextRecno(): Recno {
    return this.first + 1 + this.#amendments;
  }

  /** Everything of this host's that will be told is read while it is as it was: in the order of the amendments. */
  async tell(amendments: readonly Amendment[]): Promise<void> {
    for (const amendment of amendments) {
      if (amendment.type === 'record') {
        this.#amend(amendment);
        continue;
      }
      const { object: of, as } =
        amendment.type === 'copy'
          ? { object: amendment.of, as: amendment.as }
          : { object: amendment.object, as: amendment.object };
      const found =
        of.disk === undefined ? undefined : readLowerObject(this.replica.lowerFd, of.disk);
      if (found === undefined || of.disk === undefined) continue;
      const mine = amendment.type === 'copy' ? await this.#stageCopy(of.disk, as, found) : found;
      const { path, head } = amendment;
      const records = objectRecords(mine, path, mine.handle, {
        template: head,
        object: as.id,
        reserve: this.#reserve,
      });
      this.#renewed.set(as, records);
      for (const record of records) this.#amend(record);
    }
  }

  async #stageCopy(disk: string, as: MergeObject, found: LowerObject): Promise<LowerObject> {
    const name = copyName(as);
    const path = this.stage.path(name);
    await rm(path, { force: true });
    const from = Buffer.from(`/proc/self/fd/${this.replica.lowerFd}/${disk}`, 'latin1');
    await copyFile(from, path);
    const staged = readLowerObject(this.replica.lowerFd, this.replica.stageRelative(name));
    if (staged === undefined) throw new MergeImpossible('a copy in the stage is gone');
    const copy = { ...found, handle: staged.handle };
    this.#copies.set(as, copy);
    return copy;
  }

  async do(steps: readonly ClientStep[]): Promise<void> {
    let sliceEnd = performance.now() + SLICE_MS;
    for (const step of steps) {
      await this.#do(step);
      if (performance.now() < sliceEnd) continue;
      await new Promise((resume) => setImmediate(resume));
      sliceEnd = performance.now() + SLICE_MS;
    }
  }

  async #do(step: ClientStep): Promise<void> {
    switch (step.type) {
      case 'record':
        this.#apply(step, step.body.op === Opcode.CLOSE ? await this.#contents(step) : undefined);
        return;
      case 'fetch':
        await this.#fetch(step);
        return;
      case 'become': {
        const { path, object, content } = step;
        const now = { object: object.id, content, attributes: content };
        this.out.step({ type: 'identity', path, ...now, bare: true });
        return;
      }
      case 'copy':
        this.#copy(step.as, step.path);
        return;
      case 'touch':
        this.out.step({ type: 'touch', path: step.path, time: step.time });
        return;
      // Kept in the conflict store: that is not the tree's business.
      case 'store':
      case 'store-of-server':
        return;
    }
  }

  async #contents(record: JournalRecord): Promise<Omit<WireItem, 'record'>> {
    const item = await this.server.contentsOf(record);
    if (item.content === 'none') {
      throw new MergeImpossible('contents have changed at the server while they were merged');
    }
    return item;
  }

  async #fetch(step: Extract<ClientStep, { type: 'fetch' }>): Promise<void> {
    const { object, serverPath, path } = step;
    const name = `${this.replica.id.toString(16)}-${this.nextFree.toString(16)}-0`;
    const description = await this.server.fetch(serverPath, name);
    const staged = { content: 'staged', data: Buffer.from(name, 'latin1') } as const;
    const records = objectRecords(description, path, NO_HANDLE, {
      template: this.template,
      object: object.id,
      reserve: this.#reserve,
    });
    for (const record of records) {
      this.#apply(record, record.body.op === Opcode.CLOSE ? staged : undefined);
    }
    const { content, attributes } = description;
    this.out.step({
      type: 'identity',
      path,
      object: object.id,
      content,
      attributes,
      bare: false,
    });
  }

  #copy(as: MergeObject, path: string): void {
    const name = copyName(as);
    const staged = { content: 'staged', data: Buffer.from(name, 'latin1') } as const;
    for (const { head, body } of this.#renewed.get(as) ?? []) {
      const moved = { head, body: { ...body, path } } as JournalRecord;
      this.#apply(moved, body.op === Opcode.CLOSE ? staged : undefined);
    }
  }

  /** Numbers that were given out must not be given again: the log gets as long as that. */
  fill(): void {
    this.#fillUpTo(this.nextFree + 1);
  }

  /** Objects that the server has been told of anew bear the versions that it knows them by. */
  identify(renewed: readonly { object: MergeObject; path: string }[]): void {
    for (const { object, path } of renewed) {
      const records = this.#renewed.get(object) ?? [];
      const [made] = records;
      if (made === undefined) continue;
      const closed = records.findLast((r) => r.body.op === Opcode.CLOSE) ?? made;
      const set = records.findLast((r) => r.body.op !== Opcode.CLOSE) ?? made;
      this.out.step({
        type: 'identity',
        path,
        object: object.id,
        content: stamp(closed),
        attributes: stamp(set),
        bare: false,
      });
    }
  }
}

const NO_HANDLE = { ino: 0, generation: 0 };

function stamp({ head }: JournalRecord): { replica: ReplicaId; recno: number } {
  return { replica: head.origin, recno: head.originRecno };
}

function copyName(as: MergeObject): string {
  return `${as.id.replica.toString(16)}-${as.id.number.toString(16)}-1`;
}
