import { appendFileSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeIdentity, IDENTITY_BYTES_MAX, IDENTITY_XATTR } from '../cache/identity.js';
import {
  examineKml,
  LastRcvd,
  Lml,
  newReplicaId,
  skipDamage,
  writeFilesetFile,
  type LmlEntry,
  type PeerProgress,
} from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import type { ReplicaId } from '../model/ids.js';
import { displayBytes, isReservedAtRoot, META_DIRECTORY } from '../model/names.js';
import { ENODATA, must } from '../system/errno.js';
import { close, fsync, O_CREAT, O_RDWR, openat, syncfs } from '../system/files.js';
import { removexattrAt } from '../system/xattrs.js';
import { Aside } from './aside.js';
import { walkLower } from './lower-walk.js';
import type { Step } from './plan.js';
import type { Survey } from './survey.js';

const LOGS = ['kml', 'lml', 'last_rcvd', 'fileset', 'epochs'];
/** What an interrupted merge has left is about logs that begin anew. */
const MERGE = ['merge', 'merge.done'];
/** A KML that says this is none: nobody mounts what is half done. Running `izo recovery` again finishes it. */
const UNFINISHED = 'izo recovery was interrupted here\n';
const IDENTITIES = 'identities.json';
const PART = 1024;

/** A cache's lower tree, mounted for nobody else. */
export interface Lower {
  /** Where it is mounted, and a descriptor of that. */
  readonly path: string;
  readonly root: number;
  /** Descriptor of `.intermezzo/<fileset>`. */
  readonly meta: number;
  readonly fileset: string;
}

/**
 * Does what a plan says. What it changes is kept first, and is on the disk before anything is changed.
 * @returns the directory, in the cache, that it is kept in @throws IzoError no-room; SystemError
 */
export function carryOut(lower: Lower, found: Survey, steps: readonly Step[], now: Date): string {
  const meta = `${META_DIRECTORY}/${lower.fileset}`;
  const aside = new Aside(join(lower.path, meta), now);
  aside.copy(LOGS);
  for (const step of steps) new CarryOut(lower, found, aside).do(step);
  must('syncfs', syncfs(lower.root), lower.path);
  return `${meta}${aside.path.slice(join(lower.path, meta).length)}`;
}

class CarryOut {
  readonly #meta: string;

  constructor(
    private readonly lower: Lower,
    private readonly found: Survey,
    private readonly aside: Aside,
  ) {
    this.#meta = join(lower.path, META_DIRECTORY, lower.fileset);
  }

  do(step: Step): void {
    switch (step.do) {
      case 'aside': {
        for (const name of step.names) this.aside.take(name);
        this.aside.sync();
        return;
      }
      case 'cut':
        truncateSync(join(this.#meta, 'kml'), step.offset);
        return;
      case 'skip': {
        this.#inLog('kml', (fd) => {
          const { after } = examineKml(fd);
          if (after?.firstRecno !== step.firstRecno) throw changed();
          skipDamage(fd, after);
        });
        return;
      }
      case 'name': {
        this.#name(step.replica);
        return;
      }
      case 'lml': {
        this.#inLog('lml', (fd) => this.#lml(fd, step.replica, this.found.tree.unclosed));
        return;
      }
      case 'positions': {
        this.#inLog('last_rcvd', (fd) => this.#positions(fd, step.replica, step.peers));
        return;
      }
      case 'set-aside': {
        this.#setAside();
        return;
      }
      case 'rebuild': {
        this.#rebuild();
        return;
      }
    }
  }

  #name(replica: ReplicaId): void {
    const created = new Date().toISOString();
    writeFilesetFile(this.lower.meta, { fileset: this.lower.fileset, replica, created });
  }

  #lml(fd: number, replica: ReplicaId, notes: readonly LmlEntry[]): void {
    this.#empty('lml');
    Lml.format(fd, replica);
    const lml = Lml.open(fd);
    for (const note of notes) must('lml', lml.note(note), displayBytes(note.path));
  }

  #positions(fd: number, replica: ReplicaId, peers: readonly PeerProgress[]): void {
    this.#empty('last_rcvd');
    LastRcvd.format(fd, replica);
    const table = LastRcvd.open(fd, replica);
    for (const { peer, expected, checksum, nextToSend, stretch, epoch } of peers) {
      must('last_rcvd', table.setExpected(peer, expected, checksum, stretch));
      must('last_rcvd', table.setAcknowledged(peer, nextToSend - 1));
      must('last_rcvd', table.setEpoch(peer, epoch));
    }
  }

  /** From here to the end of #rebuild nobody can mount the cache. */
  #close(): void {
    writeFileSync(join(this.#meta, 'kml'), UNFINISHED);
    this.#sync('kml');
  }

  #setAside(): void {
    this.#close();
    mkdirSync(join(this.aside.path, 'tree'), { mode: 0o700 });
    for (const name of readdirSync(this.lower.path, { encoding: 'buffer' })) {
      const text = name.toString('latin1');
      if (isReservedAtRoot(text)) continue;
      this.aside.takeFromRoot(this.lower.root, text);
    }
  }

  /**
   * Takes the identities off the tree, so that the next mount journals all of it; and empties the logs, which makes this a
   * new replica.
   */
  #rebuild(): void {
    this.#close();
    for (const name of MERGE) this.aside.take(name);
    this.#forgetIdentities();
    this.#name(newReplicaId());
    for (const name of ['lml', 'last_rcvd']) this.#empty(name);
    must('syncfs', syncfs(this.lower.root), this.lower.path);
    this.#empty('kml');
    this.#sync('kml');
  }

  /** They are kept as well: who an object was, and which updates made it, is nowhere else where the log is lost. */
  #forgetIdentities(): void {
    const kept = join(this.aside.path, IDENTITIES);
    const value = Buffer.alloc(IDENTITY_BYTES_MAX);
    let lines: string[] = [];
    const flush = (): void => {
      appendFileSync(kept, lines.join(''));
      lines = [];
    };
    walkLower(this.lower.root, ({ path, identity }) => {
      if (identity === undefined) return;
      const hex = encodeIdentity(value, identity).toString('hex');
      lines.push(`${JSON.stringify({ path: displayBytes(path), identity: hex })}\n`);
      if (lines.length >= PART) flush();
    });
    flush();
    this.aside.sync();
    walkLower(this.lower.root, ({ directory, name, path }) => {
      const result = removexattrAt(directory, name, IDENTITY_XATTR);
      if (result !== -ENODATA) must('removexattr', result, displayBytes(path));
    });
  }

  #empty(name: string): void {
    this.#inLog(name, () => truncateSync(join(this.#meta, name), 0));
  }

  #sync(name: string): void {
    this.#inLog(name, (fd) => void must('fsync', fsync(fd), name));
  }

  #inLog(name: string, act: (fd: number) => void): void {
    const fd = must('open', openat(this.lower.meta, name, O_RDWR | O_CREAT, 0o600), name);
    try {
      act(fd);
    } finally {
      close(fd);
    }
  }
}

function changed(): IzoError {
  return new IzoError('cache-changed', 'the cache has changed since it was looked at');
}
