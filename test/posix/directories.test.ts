import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { E } from '../../src/core/system/errno.js';
import { AT_FDCWD, getdents64, renameat2, seekDirectory } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { fails, outcome, shOk } from '../support/calls.js';
import { describeTrees, makeTrees, type Place } from '../support/tree.js';

const MANY = 5000;
const RENAME_WHITEOUT = 4;
const memory = new Memory(32 * 1024);

/** One batch of an open directory: each name with the position after it, as telldir(3) has it. */
function batch(fd: number, bytes: number): { name: string; next: bigint; ino: bigint }[] {
  const length = getdents64(fd, memory.address, bytes);
  assert.ok(length >= 0, `getdents64: ${length}`);
  const { buffer } = memory;
  const found: { name: string; next: bigint; ino: bigint }[] = [];
  for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
    const name = buffer.toString('latin1', at + 19, buffer.indexOf(0, at + 19));
    const ino = buffer.readBigUInt64LE(at);
    found.push({ name, next: buffer.readBigInt64LE(at + 8), ino });
  }
  return found;
}

function readAll(fd: number, bytes = 4096): ReturnType<typeof batch> {
  const all: ReturnType<typeof batch> = [];
  for (;;) {
    const some = batch(fd, bytes);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fill(directory: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `entry-${i}`);
  for (const name of names) linkSync(join(directory, '..', 'one'), join(directory, name));
  return names;
}

function listing({ at, needs }: Place): void {
  it('gives every entry once, with its kind and inode', () => {
    mkdirSync(at('d'));
    writeFileSync(at('f'), '');
    symlinkSync('f', at('l'));
    const kinds = readdirSync(at(), { withFileTypes: true }).map((entry) => [
      entry.name,
      entry.isDirectory() ? 'd' : entry.isSymbolicLink() ? 'l' : 'f',
    ]);
    const byName = (a: string[], b: string[]): number => (String(a) < String(b) ? -1 : 1);
    assert.deepEqual(
      kinds.sort(byName),
      ['dd', 'ff', 'll'].map((pair) => pair.split('')),
    );
    const fd = openSync(at(), 'r');
    const entries = readAll(fd);
    closeSync(fd);
    assert.deepEqual(entries.map(({ name }) => name).sort(), ['.', '..', 'd', 'f', 'l']);
    const f = entries.find(({ name }) => name === 'f');
    assert.equal(f?.ino, statSync(at('f'), { bigint: true }).ino);
  });

  it(`of ${MANY} entries is complete, also after a rewind`, () => {
    mkdirSync(at('many'));
    writeFileSync(at('one'), '');
    const names = fill(at('many'), MANY).sort();
    assert.deepEqual(readdirSync(at('many')).sort(), names);
    const fd = openSync(at('many'), 'r');
    for (const bytes of [32 * 1024, 600]) {
      assert.equal(seekDirectory(fd, 0n), 0);
      const found = readAll(fd, bytes).map(({ name }) => name);
      assert.deepEqual(found.filter((name) => !name.startsWith('.')).sort(), names);
    }
    closeSync(fd);
  }).timeout(60_000);

  it('with names of every length is complete, however little is read at a time', () => {
    mkdirSync(at('d'));
    const names = Array.from({ length: 255 }, (_, i) => 'n'.repeat(i + 1));
    for (const name of names) writeFileSync(at('d', name), '');
    const fd = openSync(at('d'), 'r');
    for (const bytes of [280, 1000, 4096, 32 * 1024]) {
      assert.equal(seekDirectory(fd, 0n), 0);
      const found = readAll(fd, bytes).map(({ name }) => name);
      assert.deepEqual(found.filter((name) => !name.startsWith('.')).sort(), names);
    }
    closeSync(fd);
  });

  it('while entries are removed and made gives those that stay, each once', () => {
    mkdirSync(at('many'));
    writeFileSync(at('one'), '');
    const names = fill(at('many'), 2000);
    const seen = new Map<string, number>();
    const directory = opendirSync(at('many'), { bufferSize: 16 });
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      seen.set(entry.name, (seen.get(entry.name) ?? 0) + 1);
      const number = Number(entry.name.slice('entry-'.length));
      if (number % 2 === 0) unlinkSync(at('many', entry.name));
      if (number % 100 === 1) writeFileSync(at('many', `new-${number}`), '');
    }
    directory.closeSync();
    for (const name of names) assert.equal(seen.get(name), 1, name);
    assert.ok([...seen.values()].every((count) => count === 1));
    assert.equal(readdirSync(at('many')).filter((name) => name.startsWith('entry-')).length, 1000);
  }).timeout(60_000);

  it('goes on from any position that was told, as seekdir(3)', () => {
    writeFileSync(at('one'), '');
    mkdirSync(at('d'));
    fill(at('d'), 300);
    const fd = openSync(at('d'), 'r');
    const entries = readAll(fd, 2000);
    for (const index of [0, 1, 17, 150, 299, 301]) {
      assert.ok(seekDirectory(fd, entries[index]?.next ?? 0n) >= 0);
      assert.equal(batch(fd, 600)[0]?.name, entries[index + 1]?.name, `after entry ${index}`);
    }
    closeSync(fd);
  });

  needs(
    'freshListing',
    'goes on from a position that was told before the directory changed',
    () => {
      writeFileSync(at('one'), '');
      mkdirSync(at('d'));
      const names = fill(at('d'), 600);
      const fd = openSync(at('d'), 'r');
      const first = batch(fd, 1000);
      const seen = first.map(({ name }) => name);
      const told = first.at(-1)?.next ?? 0n;
      // Much goes and much comes, on both sides of the position; the rest of the directory is read, and left again.
      const gone = names.filter((_, index) => index % 3 === 0);
      for (const name of gone) unlinkSync(at('d', name));
      for (let i = 0; i < 300; i++) linkSync(at('one'), at('d', `new-${i}`));
      readAll(fd);
      assert.ok(seekDirectory(fd, told) >= 0);
      const rest = readAll(fd).map(({ name }) => name);
      const all = [...seen, ...rest];
      assert.equal(new Set(all).size, all.length, 'an entry was given twice');
      for (const name of names.filter((each) => !gone.includes(each))) {
        assert.ok(all.includes(name), `${name} was left out`);
      }
      for (const name of gone) assert.ok(!rest.includes(name), `${name} is gone`);
      closeSync(fd);
    },
  );

  it('rm -r of a deep and wide tree leaves nothing', () => {
    shOk(
      `cd "$1"; for a in 1 2 3 4 5 6; do for b in 1 2 3 4 5 6; do mkdir -p t/$a/$b/c/d/e
         : >t/$a/$b/f; ln -s f t/$a/$b/l; done; done; rm -r t`,
      [at()],
    );
    assert.deepEqual(readdirSync(at()), []);
  });
}

describeTrees('directories', (place) => {
  listing(place);
});

describe('names of the cache itself', () => {
  const RESERVED = ['.intermezzo', 'lost+found'];
  let trees: Awaited<ReturnType<typeof makeTrees>>;
  const at = (...names: string[]): string => join(trees.izo.root, ...names);

  before(async () => {
    trees = await makeTrees('64M');
  });
  after(async () => {
    try {
      await trees.izo.check();
    } finally {
      await trees.izo.remove();
    }
    await trees.plain.remove();
  });

  it('are not seen at the root', () => {
    assert.deepEqual(readdirSync(at()), []);
  });

  it('include no whiteout: peers would have to make one, too', () => {
    writeFileSync(at('f'), '');
    assert.equal(renameat2(AT_FDCWD, at('f'), AT_FDCWD, at('g'), RENAME_WHITEOUT), -E.EINVAL);
    assert.deepEqual(readdirSync(at()), ['f']);
    unlinkSync(at('f'));
  });

  for (const name of RESERVED) {
    it(`${name} at the root cannot be reached, made, moved or removed`, () => {
      writeFileSync(at('f'), '');
      mkdirSync(at('d'));
      assert.ok(!existsSync(at(name)));
      fails('ENOENT', () => statSync(at(name, 'kml')));
      const refused = ['EPERM', 'ENOENT', 'EACCES'];
      const acts: Record<string, () => void> = {
        mkdir: () => {
          mkdirSync(at(name));
        },
        create: () => {
          writeFileSync(at(name), '');
        },
        symlink: () => {
          symlinkSync('f', at(name));
        },
        link: () => {
          linkSync(at('f'), at(name));
        },
        'rename to': () => {
          renameSync(at('d'), at(name));
        },
        'rename from': () => {
          renameSync(at(name), at('x'));
        },
        rmdir: () => {
          rmdirSync(at(name));
        },
        unlink: () => {
          unlinkSync(at(name));
        },
      };
      for (const [what, act] of Object.entries(acts)) {
        assert.ok(refused.includes(outcome(act)), `${what}: ${outcome(act)}`);
      }
      assert.deepEqual(readdirSync(at()).sort(), ['d', 'f']);
      rmSync(at('d'), { recursive: true });
      rmSync(at('f'));
    });

    it(`${name} is a name like any other deeper`, () => {
      mkdirSync(at('sub', name), { recursive: true });
      writeFileSync(at('sub', name, 'f'), 'x');
      assert.deepEqual(readdirSync(at('sub')), [name]);
      renameSync(at('sub', name), at('sub', 'y'));
      renameSync(at('sub', 'y'), at('sub', name));
      fails('EPERM', () => {
        renameSync(at('sub', name), at(name));
      });
      rmSync(at('sub'), { recursive: true });
    });
  }
});
