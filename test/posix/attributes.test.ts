import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fchmodSync,
  futimesSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, connect } from 'node:net';
import { ENODATA, E } from '../../src/core/system/errno.js';
import {
  AT_FDCWD,
  mknodat,
  UTIME_NOW,
  UTIME_OMIT,
  utimensat,
} from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import {
  getxattrAt,
  listxattrAt,
  removexattrAt,
  setxattrAt,
} from '../../src/core/system/xattrs.js';
import { sh, shOk, STRANGER } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';

const mode = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

function modesAndOwners({ at, needs }: Place): void {
  it('new objects get their mode through the umask', () => {
    const made = (umask: string): string[] => {
      const name = `u${umask}`;
      shOk('umask "$1"; mkdir "$2" "$2/d"; : >"$2/f"; mkfifo "$2/p"', [umask, at(name)]);
      return ['d', 'f', 'p'].map((object) => mode(at(name, object)));
    };
    assert.deepEqual(made('022'), ['755', '644', '644']);
    assert.deepEqual(made('027'), ['750', '640', '640']);
    assert.deepEqual(made('000'), ['777', '666', '666']);
    closeSync(openSync(at('f'), 'w', 0o400));
    assert.equal(mode(at('f')), '400');
    closeSync(openSync(at('s'), 'w', 0o4711));
    assert.equal(mode(at('s')), '4711');
  });

  needs('users', 'new objects belong to who makes them', () => {
    chmodSync(at(), 0o777);
    shOk('cd "$1" && : >f && mkdir d && ln -s x l && mkfifo p', [at()], STRANGER);
    for (const name of ['f', 'd', 'l', 'p']) {
      const { uid, gid } = lstatSync(at(name));
      assert.deepEqual({ uid, gid }, STRANGER, name);
    }
  });

  needs('users', 'a setgid directory gives its group, and directories the bit', () => {
    mkdirSync(at('g'));
    chownSync(at('g'), 0, 777);
    chmodSync(at('g'), 0o2777);
    shOk('umask 022; cd "$1" && : >f && mkdir d && ln -s x l', [at('g')], STRANGER);
    for (const name of ['f', 'd', 'l']) assert.equal(lstatSync(at('g', name)).gid, 777, name);
    assert.equal(mode(at('g', 'd')), '2755');
    assert.equal(mode(at('g', 'f')), '644');
  });

  needs('users', 'permissions are the kernel’s: who may not read, write, enter or remove', () => {
    chmodSync(at(), 0o755);
    writeFileSync(at('secret'), 'x', { mode: 0o600 });
    writeFileSync(at('readable'), 'x', { mode: 0o644 });
    mkdirSync(at('closed'), 0o700);
    const may = (script: string): boolean => sh(script, [at()], STRANGER).status === 0;
    assert.ok(may('cat "$1/readable"'));
    assert.ok(!may('cat "$1/secret"'));
    assert.ok(!may('echo x >>"$1/readable"'));
    assert.ok(!may('ls "$1/closed"'));
    assert.ok(!may(': >"$1/new"'));
    assert.ok(!may('rm -f "$1/readable"'));
    assert.ok(!may('chmod 777 "$1/readable"'));
    assert.ok(existsSync(at('readable')));
  });

  needs('users', 'a sticky directory keeps the files of others', () => {
    mkdirSync(at('t'));
    chmodSync(at('t'), 0o1777);
    writeFileSync(at('t', 'mine'), '');
    const tried = sh('rm -f "$1/mine" || mv "$1/mine" "$1/x"', [at('t')], STRANGER);
    assert.notEqual(tried.status, 0);
    shOk(': >"$1/own" && mv "$1/own" "$1/own2" && rm "$1/own2"', [at('t')], STRANGER);
  });

  it('chmod keeps all twelve bits, of files and of directories', () => {
    writeFileSync(at('f'), '');
    mkdirSync(at('d'));
    for (const bits of [0o7777, 0o4755, 0o2755, 0o1777, 0o000, 0o644]) {
      chmodSync(at('f'), bits);
      chmodSync(at('d'), bits);
      assert.deepEqual([mode(at('f')), mode(at('d'))], [bits.toString(8), bits.toString(8)]);
    }
    const fd = openSync(at('f'), 'r');
    unlinkSync(at('f'));
    fchmodSync(fd, 0o601);
    closeSync(fd);
  });

  it('chown changes links themselves, and takes setuid away', () => {
    symlinkSync('x', at('l'));
    lchownSync(at('l'), 12, 13);
    assert.deepEqual([lstatSync(at('l')).uid, lstatSync(at('l')).gid], [12, 13]);
    writeFileSync(at('f'), '');
    chmodSync(at('f'), 0o6755);
    chownSync(at('f'), 12, 13);
    assert.equal(mode(at('f')), '755');
    mkdirSync(at('d'));
    chmodSync(at('d'), 0o2755);
    chownSync(at('d'), 12, 13);
    assert.equal(mode(at('d')), '2755');
  });

  needs('users', 'writing by another user takes setuid away; by root it does not', () => {
    writeFileSync(at('f'), 'x');
    chownSync(at('f'), STRANGER.uid, STRANGER.gid);
    chmodSync(at('f'), 0o6777);
    const fd = openSync(at('f'), 'r+');
    writeSync(fd, 'y');
    closeSync(fd);
    assert.equal(mode(at('f')), '6777');
    shOk('echo z >>"$1"', [at('f')], STRANGER);
    assert.equal(mode(at('f')), '777');
    chmodSync(at('f'), 0o4777);
    shOk(': >"$1"', [at('f')], STRANGER);
    assert.equal(mode(at('f')), '777');
  });
}

function times({ at, needs }: Place): void {
  const mtime = (path: string): bigint => lstatSync(path, { bigint: true }).mtimeNs;

  needs('times', 'are kept to the nanosecond, before 1970 too', () => {
    writeFileSync(at('f'), '');
    symlinkSync('x', at('l'));
    const set = (path: string, sec: number, nsec: number): void => {
      assert.equal(utimensat(AT_FDCWD, path, sec, nsec, sec, nsec), 0);
    };
    for (const [sec, nsec] of [
      [1, 1],
      [1_700_000_000, 123_456_789],
      [4_000_000_000, 999_999_999],
      [-1_000, 500],
    ] as const) {
      const expected = BigInt(sec) * 1_000_000_000n + BigInt(nsec);
      set(at('f'), sec, nsec);
      set(at('l'), sec, nsec);
      set(at(), sec, nsec);
      assert.deepEqual([mtime(at('f')), mtime(at('l')), mtime(at())], Array(3).fill(expected));
      assert.equal(lstatSync(at('f'), { bigint: true }).atimeNs, expected);
    }
  });

  needs('times', 'are set one without the other, to now, by name and by descriptor', () => {
    writeFileSync(at('f'), '');
    utimesSync(at('f'), 1000, 2000);
    assert.equal(utimensat(AT_FDCWD, at('f'), 0, UTIME_OMIT, 3000, 0), 0);
    assert.deepEqual([statSync(at('f')).atimeMs, statSync(at('f')).mtimeMs], [1e6, 3e6]);
    assert.equal(utimensat(AT_FDCWD, at('f'), 0, UTIME_NOW, 0, UTIME_OMIT), 0);
    assert.ok(Math.abs(statSync(at('f')).atimeMs - Date.now()) < 5000);
    assert.equal(statSync(at('f')).mtimeMs, 3e6);
    const fd = openSync(at('f'), 'r+');
    writeSync(fd, 'x');
    futimesSync(fd, 5, 6);
    closeSync(fd);
    assert.equal(statSync(at('f')).mtimeMs, 6000);
  });

  it('of a directory change with its entries', () => {
    const acts = [
      () => {
        writeFileSync(at('d', 'f'), '');
      },
      () => shOk('mv "$1/f" "$1/g"', [at('d')]),
      () => shOk('ln "$1/g" "$1/h"', [at('d')]),
      () => {
        unlinkSync(at('d', 'g'));
      },
    ];
    mkdirSync(at('d'));
    for (const act of acts) {
      utimesSync(at('d'), 1, 1);
      act();
      assert.ok(statSync(at('d')).mtimeMs > 1e12, String(act));
    }
  });
}

function extended({ at }: Place): void {
  const memory = new Memory(70_000);
  const within = <T>(use: (directory: number) => T): T => {
    const fd = openSync(at(), 'r');
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  };

  it('are set, read, listed and removed', () => {
    writeFileSync(at('f'), '');
    within((fd) => {
      const read = (name: string): string | number => {
        const length = getxattrAt(fd, 'f', name, memory.address, memory.length);
        return length < 0 ? length : memory.buffer.toString('latin1', 0, length);
      };
      const length = (): number => listxattrAt(fd, 'f', memory.address, memory.length);
      assert.equal(setxattrAt(fd, 'f', 'user.one', Buffer.from('1')), 0);
      assert.equal(setxattrAt(fd, 'f', 'user.empty', Buffer.alloc(0)), 0);
      assert.equal(setxattrAt(fd, 'f', 'user.long', Buffer.alloc(3000, 'l')), 0);
      assert.deepEqual(['user.one', 'user.empty'].map(read), ['1', '']);
      assert.equal(read('user.long'), 'l'.repeat(3000));
      assert.equal(read('user.none'), -ENODATA);
      const names = memory.buffer.toString('latin1', 0, length()).split('\0').sort();
      assert.deepEqual(names, ['', 'user.empty', 'user.long', 'user.one']);
      assert.equal(getxattrAt(fd, 'f', 'user.long', memory.address, 10), -E.ERANGE);
      assert.equal(getxattrAt(fd, 'f', 'user.long', memory.address, 0), 3000);
      assert.equal(removexattrAt(fd, 'f', 'user.one'), 0);
      assert.equal(removexattrAt(fd, 'f', 'user.one'), -ENODATA);
      assert.equal(read('user.one'), -ENODATA);
    });
  });

  it('XATTR_CREATE and XATTR_REPLACE', () => {
    mkdirSync(at('d'));
    within((fd) => {
      const set = (value: string, flags: number): number =>
        setxattrAt(fd, 'd', 'user.a', Buffer.from(value), flags);
      assert.equal(set('1', 2), -ENODATA);
      assert.equal(set('2', 1), 0);
      assert.equal(set('3', 1), -E.EEXIST);
      assert.equal(set('4', 2), 0);
      assert.equal(getxattrAt(fd, 'd', 'user.a', memory.address, memory.length), 1);
      assert.equal(memory.buffer.toString('latin1', 0, 1), '4');
    });
  });

  it('are refused where ext3 refuses them', () => {
    symlinkSync('x', at('l'));
    writeFileSync(at('f'), '');
    within((fd) => {
      const one = Buffer.from('1');
      assert.equal(setxattrAt(fd, 'l', 'user.a', one), -E.EPERM);
      assert.equal(setxattrAt(fd, 'f', 'nonsense', one), -E.EOPNOTSUPP);
      assert.equal(setxattrAt(fd, 'none', 'user.a', one), -E.ENOENT);
      assert.equal(setxattrAt(fd, 'f', 'user.big', Buffer.alloc(60_000)), -E.ENOSPC);
    });
  });
}

function specialFiles({ at }: Place): void {
  it('fifos carry bytes between processes', () => {
    shOk('mkfifo "$1"', [at('p')]);
    assert.ok(statSync(at('p')).isFIFO());
    assert.equal(shOk('echo through >"$1" & cat "$1"; wait', [at('p')]), 'through\n');
  });

  it('sockets are listened at', async () => {
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(at('s'), resolve));
    assert.ok(statSync(at('s')).isSocket());
    const said = await new Promise((resolve, reject) => {
      connect(at('s')).once('data', resolve).once('error', reject);
    });
    assert.equal(String(said), 'hello');
    await new Promise((resolve) => server.close(resolve));
  });

  it('device nodes keep their numbers; mknod makes regular files, too', () => {
    shOk('mknod "$1/null" c 1 3; mknod "$1/odd" b 300 70000', [at()]);
    assert.ok(statSync(at('null')).isCharacterDevice());
    assert.equal(statSync(at('null')).rdev, statSync('/dev/null').rdev);
    assert.ok(statSync(at('odd')).isBlockDevice());
    assert.equal(shOk('stat -c %t:%T "$1"', [at('odd')]), '12c:11170\n');
    assert.equal(mknodat(AT_FDCWD, at('regular'), 0o100640, 0), 0);
    assert.ok(statSync(at('regular')).isFile());
  });

  it('a program in the tree runs', () => {
    writeFileSync(at('run'), '#!/bin/sh\necho "$0 runs"\n', { mode: 0o755 });
    assert.equal(shOk('"$1"', [at('run')]), `${at('run')} runs\n`);
  });
}

describeTrees('attributes', (place) => {
  describe('modes and owners', () => {
    modesAndOwners(place);
  });
  describe('times', () => {
    times(place);
  });
  describe('extended attributes', () => {
    extended(place);
  });
  describe('special files', () => {
    specialFiles(place);
  });
  it('statfs tells of the room there is', () => {
    const { root, at } = place;
    const before = statfsSync(root());
    assert.ok(before.bfree > 0 && before.bfree < before.blocks && before.ffree > 0);
    writeFileSync(at('f'), Buffer.alloc(4 * 2 ** 20));
    const used = (before.bfree - statfsSync(root()).bfree) * before.bsize;
    assert.ok(used >= 4 * 2 ** 20 && used < 5 * 2 ** 20, `${used} bytes`);
  });
});
