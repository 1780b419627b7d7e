import { UNNAMED } from '../cache/fileset-directory.js';
import { SIZE_MIN } from '../cache/target.js';
import { quoted } from '../config/index.js';
import type { Tell } from './diagnostic.js';
import type { CacheFacts, HostFacts } from './facts.js';
import type { FstabMount } from './fstab.js';
import { octal } from './host.js';
import type { Survey } from './survey.js';

/** What is wrong with the caches that fstab names. */
export function checkCaches(survey: Survey, facts: HostFacts, tell: Tell): void {
  for (const entry of survey.fstab.mounts) {
    const found = facts.caches.get(entry.spec);
    if (found !== undefined) new CacheCheck(entry, found, tell).run();
  }
}

class CacheCheck {
  constructor(
    private readonly entry: FstabMount,
    private readonly found: CacheFacts,
    private readonly tell: Tell,
  ) {}

  run(): void {
    const { found } = this;
    if (found.kind === 'unknown') return;
    if (found.kind === 'missing') {
      this.#say('no-cache', 'does not exist', `Make it: ${this.#mkizofs('--size 1G ')}`);
      return;
    }
    if (found.kind !== 'file' && found.kind !== 'block') {
      this.#say('not-a-cache', 'is neither a file nor a block device', 'Name one of these.');
      return;
    }
    this.#checkLoop();
    this.#checkAccess();
    if (found.plainMount !== undefined) {
      const where = `is mounted at ${found.plainMount}, and not by presto`;
      this.#say('cache-in-use', where, `umount ${found.plainMount}`);
    }
    if (found.trouble !== undefined) {
      this.#say('cache-unprobed', `cannot be looked at: ${found.trouble}`, 'Run this as root.');
      return;
    }
    this.#checkContents();
  }

  #say(code: string, message: string, remedy: string): void {
    const { spec, placeOf } = this.entry;
    this.tell({ code, message: `${spec} ${message}`, place: placeOf(spec), remedy });
  }

  #mkizofs(options = ''): string {
    const { spec, mount } = this.entry;
    return `izo mkizofs ${options}-v ${mount.fileset ?? 'FILESET'} ${spec}`;
  }

  #checkLoop(): void {
    const { loop } = this.entry.mount;
    if (this.found.kind === 'file' && !loop) {
      this.#say('loop-missing', 'is a file', 'Add the option loop.');
    } else if (this.found.kind === 'block' && loop) {
      this.#say('loop-surplus', 'is a block device', 'Remove the option loop.');
    }
  }

  #checkAccess(): void {
    const { kind, mode, size, occupied, room } = this.found;
    if (kind !== 'file') return;
    const { spec, placeOf } = this.entry;
    if ((mode & 0o077) !== 0) {
      this.tell({
        code: 'cache-open',
        message: `${spec} has mode ${octal(mode)}: others than its owner can use it`,
        place: placeOf(spec),
        remedy: `chmod 600 ${spec}`,
        fixes: [{ kind: 'chmod', path: spec, mode: mode & 0o700 }],
      });
    }
    const missing = size - occupied;
    if (missing <= room) return;
    const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
    const message = `may grow by ${mib(missing)}, and its disk has room for ${mib(room)}`;
    this.#say('cache-room', message, 'Make room, or use a smaller image.');
  }

  #checkContents(): void {
    const { contents, size, filesets, hasJournal } = this.found;
    if (contents === undefined) {
      if (size < SIZE_MIN) {
        this.#say(
          'too-small',
          `has ${size} bytes`,
          `Make one of 8 MiB or more: ${this.#mkizofs('--size 1G ')}`,
        );
      } else this.#say('cache-unformatted', 'is not formatted', `Format it: ${this.#mkizofs()}`);
      return;
    }
    const { type, words } = contents;
    if (type !== 'ext3' && type !== 'ext4') {
      const convert =
        type === 'ext2' ? `, or keep its files: tune2fs -j, then mkizofs --convert` : '';
      this.#say('foreign', `holds ${words}, and is no cache`, `Name another cache${convert}.`);
      return;
    }
    if (!hasJournal) {
      this.#say(
        'cache-no-journal',
        `is an ${type} without a journal`,
        `tune2fs -j ${this.entry.spec}`,
      );
    }
    if (filesets.length === 0) {
      const remedy = `Keep its files: ${this.#mkizofs('--convert ')}. Or name another cache.`;
      this.#say('foreign', `is an ${type} of something else`, remedy);
      return;
    }
    this.#checkFileset(type);
  }

  #checkFileset(type: string): void {
    const { mount, placeOf } = this.entry;
    const { fileset, cacheType } = mount;
    const { filesets } = this.found;
    if (fileset !== undefined && !filesets.includes(fileset) && !filesets.includes(UNNAMED)) {
      const message = `is the cache of ${filesets.map(quoted).join(', ')}`;
      this.#say('cache-of-other', message, 'Correct fileset=, or name another cache.');
    }
    if (cacheType === undefined || cacheType === type) return;
    this.tell({
      code: 'cache-type-differs',
      message: `the cache is an ${type}, and not an ${cacheType}`,
      place: placeOf(`cache_type=${cacheType}`),
      remedy: `Write cache_type=${type}.`,
    });
  }
}
