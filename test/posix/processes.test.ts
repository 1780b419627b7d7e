import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { E } from '../../src/core/system/errno.js';
import { fcntl, flock, LOCK_EX, LOCK_NB } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { node, sh } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';

const LOCK_UN = 8;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const F_UNLCK = 2;

const APPENDER = `
  const fs = await import('node:fs');
  const [path, who] = process.argv.slice(1);
  const fd = fs.openSync(path, 'a');
  for (let i = 0; i < 200; i++) fs.writeSync(fd, who + ':' + i + ':' + 'x'.repeat(i) + '\\n');
  fs.closeSync(fd);`;

const RENAMER = `
  const fs = await import('node:fs');
  const [root, who] = process.argv.slice(1);
  const known = ['ENOENT', 'EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR', 'EINVAL', 'EXDEV'];
  const attempt = (act) => {
    try { act(); } catch (error) { if (!known.includes(error.code)) throw error; }
  };
  let seed = Number(who) + 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const shared = () => root + '/' + 'abcd'[random(4)] + (random(2) ? '/' + random(6) : '');
  for (let i = 0; i < 60; i++) {
    const own = root + '/own-' + who + '-' + i;
    fs.writeFileSync(own, who + ' ' + i);
    if (fs.readFileSync(own, 'utf8') !== who + ' ' + i) throw new Error('another file: ' + own);
    const path = shared();
    switch (random(6)) {
      case 0: attempt(() => fs.mkdirSync(path)); break;
      case 1: attempt(() => fs.renameSync(shared(), path)); break;
      case 2: attempt(() => fs.rmdirSync(path)); break;
      case 3: attempt(() => fs.linkSync(own, path)); break;
      case 4: attempt(() => fs.unlinkSync(path)); break;
      case 5: attempt(() => fs.readdirSync(path).forEach((n) => fs.existsSync(path + '/' + n)));
    }
    if (i % 2) fs.unlinkSync(own); else fs.renameSync(own, own + '-kept');
  }`;

function locks({ at }: Place): void {
  it('flock excludes another open file, and another process', () => {
    const one = openSync(at('f'), 'w+');
    const two = openSync(at('f'), 'r+');
    assert.equal(flock(one, LOCK_EX), 0);
    assert.equal(flock(two, LOCK_EX | LOCK_NB), -E.EAGAIN);
    assert.equal(sh('flock -n "$1" true', [at('f')]).status, 1);
    assert.equal(flock(one, LOCK_UN), 0);
    assert.equal(flock(two, LOCK_EX | LOCK_NB), 0);
    closeSync(one);
    closeSync(two);
    assert.equal(sh('flock -n "$1" true', [at('f')]).status, 0);
  });

  it('fcntl locks exclude where their ranges meet', () => {
    // struct flock: short type, whence; long start, len; int pid.
    // So much that it is not among the first 4 GiB of addresses.
    const lock = new Memory(2 ** 20);
    const set = (fd: number, type: number, start: bigint, length: bigint): number => {
      lock.buffer.fill(0, 0, 32);
      lock.buffer.writeInt16LE(type, 0);
      lock.buffer.writeBigInt64LE(start, 8);
      lock.buffer.writeBigInt64LE(length, 16);
      return fcntl(fd, F_OFD_SETLK, lock.address);
    };
    const one = openSync(at('f'), 'w+');
    const two = openSync(at('f'), 'r+');
    assert.equal(set(one, F_WRLCK, 10n, 10n), 0);
    assert.equal(set(two, F_WRLCK, 15n, 1n), -E.EAGAIN);
    assert.equal(set(two, F_WRLCK, 20n, 5n), 0);
    assert.equal(set(one, F_UNLCK, 0n, 0n), 0);
    assert.equal(set(two, F_WRLCK, 15n, 1n), 0);
    closeSync(one);
    closeSync(two);
  });
}

describeTrees('processes', (place) => {
  const { at, needs } = place;

  it('appending together lose nothing and mix no lines', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((who) => node(APPENDER, [at('log'), who])));
    const lines = readFileSync(at('log'), 'utf8').split('\n').slice(0, -1);
    assert.equal(lines.length, 800);
    const next = new Map<string, number>();
    for (const line of lines) {
      const [who = '', number = '', rest = ''] = line.split(':');
      assert.equal(Number(number), next.get(who) ?? 0, line);
      assert.equal(rest.length, Number(number));
      next.set(who, Number(number) + 1);
    }
  });

  it('16 at once make, rename and remove, also the same names', async () => {
    const all = Array.from({ length: 16 }, (_, i) => String(i));
    await Promise.all(all.map((who) => node(RENAMER, [at(), who])));
    const kept = readdirSync(at()).filter((name) => name.endsWith('-kept'));
    assert.equal(kept.length, 16 * 30);
    for (const name of kept) {
      const [, who = '', number = ''] = name.split('-');
      assert.equal(readFileSync(at(name), 'utf8'), `${who} ${number}`);
      const links = statSync(at(name)).nlink;
      assert.ok(links >= 1, name);
    }
  }).timeout(60_000);

  it('1000 files open at once, all written in turn', () => {
    mkdirSync(at('d'));
    const names = Array.from({ length: 1000 }, (_, i) => at('d', String(i)));
    const fds = names.map((name) => openSync(name, 'w+'));
    for (const word of ['one', 'two']) {
      fds.forEach((fd, i) => writeSync(fd, `${word} ${i} `));
    }
    for (const fd of fds) closeSync(fd);
    names.forEach((name, i) => {
      assert.equal(readFileSync(name, 'utf8'), `one ${i} two ${i} `);
    });
  }).timeout(60_000);

  needs('nameless', 'replacing a file by rename never show a part of it', async () => {
    writeFileSync(at('f'), '0'.repeat(20_000));
    const writer = node(
      `const fs = await import('node:fs');
       const f = process.argv[1];
       for (let i = 0; i < 200; i++) {
         fs.writeFileSync(f + '.new', String(i % 10).repeat(20000));
         fs.renameSync(f + '.new', f);
       }
       fs.writeFileSync(f + '.done', '');`,
      [at('f')],
    );
    const reader = node(
      `const fs = await import('node:fs');
       const f = process.argv[1];
       for (let i = 0; i < 100000 && !fs.existsSync(f + '.done'); i++) {
         const text = fs.readFileSync(f, 'latin1');
         if (text !== text[0].repeat(20000)) throw new Error('a part: ' + text.length);
       }`,
      [at('f')],
    );
    await Promise.all([writer, reader]);
  }).timeout(60_000);

  describe('locks', () => {
    locks(place);
  });
});
