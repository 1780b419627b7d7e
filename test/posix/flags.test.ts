import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { E } from '../../src/core/system/errno.js';
import {
  AT_FDCWD,
  fallocate,
  linkat,
  O_RDWR,
  O_TMPFILE,
  renameat2,
  UTIME_NOW,
  utimensat,
} from '../../src/core/system/files.js';
import { inodeFlags, setInodeFlags } from '../../src/core/system/inode-flags.js';
import { declare, Memory } from '../../src/core/system/native.js';
import { fails, outcome, sh, shOk, STRANGER } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';
import { setXattr } from '../support/xattr.js';

const SYNC = 0x8;
const IMMUTABLE = 0x10;
const APPEND = 0x20;
const NODUMP = 0x40;
const NOATIME = 0x80;
const DIRSYNC = 0x1_0000;
const KEPT = SYNC | IMMUTABLE | APPEND | NODUMP | NOATIME | DIRSYNC;
const RENAME_EXCHANGE = 2;

const c = { ioctl: declare('int ioctl(int, uint64, uint64)') };
/** struct fsxattr. */
const memory = new Memory(28);
const FSGETXATTR = 0x801c581f;
const FSSETXATTR = 0x401c5820;
const FS_XFLAG_APPEND = 0x10;
/** Those that are kept. */
const XFLAGS = 0xf8;

function fsxattr(fd: number, request: number): number {
  assert.equal(c.ioctl(fd, request, memory.address), 0);
  return memory.buffer.readUInt32LE();
}

function flagsOf(path: string): number {
  const fd = openSync(path, 'r');
  const flags = inodeFlags(fd);
  closeSync(fd);
  return flags < 0 ? flags : flags & KEPT;
}

function setFlags(path: string, flags: number): number {
  const fd = openSync(path, 'r');
  const result = setInodeFlags(fd, flags);
  closeSync(fd);
  return result;
}

/** Runs `act` while the object has the flags. */
function having<T>(path: string, flags: number, act: () => T): T {
  const before = flagsOf(path);
  assert.equal(setFlags(path, before | flags), 0);
  try {
    return act();
  } finally {
    assert.equal(setFlags(path, before), 0);
  }
}

function keeping({ at, needs }: Place): void {
  needs('flags', 'are kept, of files and directories; others have none', () => {
    writeFileSync(at('f'), '');
    mkdirSync(at('d'));
    for (const name of ['f', 'd']) {
      assert.equal(flagsOf(at(name)), 0);
      for (const flag of [SYNC, IMMUTABLE, APPEND, NODUMP, NOATIME]) {
        having(at(name), flag, () => {
          assert.equal(flagsOf(at(name)), flag);
        });
        assert.equal(flagsOf(at(name)), 0);
      }
    }
    having(at('d'), DIRSYNC, () => {
      assert.equal(flagsOf(at('d')), DIRSYNC);
    });
    assert.equal(setFlags(at('f'), NODUMP | NOATIME), 0);
    renameSync(at('f'), at('g'));
    assert.equal(flagsOf(at('g')), NODUMP | NOATIME);
    writeFileSync(at('g'), 'text');
    assert.equal(flagsOf(at('g')), NODUMP | NOATIME);
  });

  needs('flags', 'go from directories to what is made in them', () => {
    mkdirSync(at('d'));
    assert.equal(setFlags(at('d'), SYNC | DIRSYNC | NODUMP | NOATIME | APPEND), 0);
    writeFileSync(at('d', 'f'), 'x');
    mkdirSync(at('d', 'e'));
    symlinkSync('f', at('d', 'l'));
    shOk('mkfifo "$1"', [at('d', 'p')]);
    assert.equal(flagsOf(at('d', 'f')), SYNC | NODUMP | NOATIME);
    assert.equal(flagsOf(at('d', 'e')), SYNC | DIRSYNC | NODUMP | NOATIME);
    assert.equal(flagsOf(at('d')), SYNC | DIRSYNC | NODUMP | NOATIME | APPEND);
    const fd = openSync(at('d'), O_TMPFILE | O_RDWR);
    writeSync(fd, 'text');
    assert.equal(inodeFlags(fd) & KEPT, SYNC | NODUMP | NOATIME);
    assert.equal(setInodeFlags(fd, NODUMP), 0);
    assert.equal(linkat(fd, '', AT_FDCWD, at('t')), 0);
    closeSync(fd);
    assert.equal(flagsOf(at('t')), NODUMP);
    assert.equal(setFlags(at('d'), 0), 0);
  });

  needs('flags', 'as chattr(1) sets and lsattr(1) shows them, and as struct fsxattr', () => {
    writeFileSync(at('f'), '');
    shOk('chattr +iAd "$1" && chattr -i "$1"', [at('f')]);
    assert.match(shOk('lsattr "$1"', [at('f')]), /^-+d-*A-+ /);
    assert.equal(flagsOf(at('f')), NODUMP | NOATIME);
    const fd = openSync(at('f'), 'r');
    assert.deepEqual([fsxattr(fd, FSGETXATTR) & XFLAGS, memory.buffer.readUInt32LE(12)], [0xc0, 0]);
    memory.buffer.fill(0).writeUInt32LE(FS_XFLAG_APPEND);
    assert.equal(c.ioctl(fd, FSSETXATTR, memory.address), 0);
    assert.equal(fsxattr(fd, FSGETXATTR) & XFLAGS, FS_XFLAG_APPEND);
    closeSync(fd);
    assert.equal(flagsOf(at('f')), APPEND);
    assert.equal(setFlags(at('f'), 0), 0);
  });

  needs('flags', 'are the owner’s to set; the two that bind also root, root’s', () => {
    writeFileSync(at('f'), '');
    writeFileSync(at('g'), '');
    chownSync(at('f'), STRANGER.uid, STRANGER.gid);
    const chattr = (what: string, name: string) =>
      sh(`chattr ${what} "$1"`, [at(name)], STRANGER).status;
    assert.deepEqual([chattr('+d', 'f'), chattr('+d', 'g')], [0, 1]);
    assert.deepEqual([chattr('+i', 'f'), chattr('+a', 'f')], [1, 1]);
    having(at('f'), IMMUTABLE, () => {
      assert.equal(chattr('-i', 'f'), 1);
    });
    assert.deepEqual([flagsOf(at('f')), flagsOf(at('g'))], [NODUMP, 0]);
  });
}

/** What each act on an object answers. */
function outcomes(acts: Record<string, () => unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(acts).map(([name, act]) => [
      name,
      outcome(() => {
        const result = act();
        if (typeof result === 'number' && result < 0) {
          throw Object.assign(new Error(name), { code: result === -E.EPERM ? 'EPERM' : result });
        }
      }),
    ]),
  );
}

function immutable({ at, needs }: Place): void {
  const everything = (name: string): Record<string, () => unknown> => ({
    read: () => readFileSync(at(name)),
    write: () => {
      closeSync(openSync(at(name), 'r+'));
    },
    append: () => {
      appendFileSync(at(name), 'more');
    },
    truncate: () => {
      truncateSync(at(name), 1);
    },
    chmod: () => {
      chmodSync(at(name), 0o600);
    },
    chown: () => {
      chownSync(at(name), 1, 1);
    },
    utimes: () => {
      utimesSync(at(name), 1, 1);
    },
    touch: () => utimensat(AT_FDCWD, at(name), 0, UTIME_NOW, 0, UTIME_NOW),
    xattr: () => setXattr(at(name), 'user.a', 'x'),
    link: () => {
      linkSync(at(name), at('other'));
    },
    rename: () => {
      renameSync(at(name), at('other'));
    },
    replace: () => {
      writeFileSync(at('new'), '');
      renameSync(at('new'), at(name));
    },
    exchange: () => {
      writeFileSync(at('new'), '');
      return renameat2(AT_FDCWD, at('new'), AT_FDCWD, at(name), RENAME_EXCHANGE);
    },
    unlink: () => {
      unlinkSync(at(name));
    },
  });

  needs('flags', 'immutable: nothing changes it', () => {
    writeFileSync(at('f'), 'text');
    const fd = openSync(at('f'), 'r+');
    having(at('f'), IMMUTABLE, () => {
      const { read, ...others } = outcomes(everything('f'));
      assert.equal(read, 'ok');
      for (const [act, result] of Object.entries(others)) assert.equal(result, 'EPERM', act);
      fails('EPERM', () => writeSync(fd, 'new'));
      assert.equal(fallocate(fd, 0, 0, 100), -E.EPERM);
      assert.equal(readFileSync(at('f'), 'utf8'), 'text');
      assert.deepEqual(readdirSync(at()).sort(), ['f', 'new']);
    });
    writeSync(fd, 'new');
    closeSync(fd);
    assert.equal(readFileSync(at('f'), 'utf8'), 'newt');
  });

  needs('flags', 'append-only: it grows, and may be touched', () => {
    writeFileSync(at('f'), 'text');
    const fd = openSync(at('f'), 'a');
    having(at('f'), APPEND, () => {
      const { read, append, touch, ...others } = outcomes(everything('f'));
      assert.deepEqual([read, append, touch], ['ok', 'ok', 'ok']);
      for (const [act, result] of Object.entries(others)) assert.equal(result, 'EPERM', act);
      fails('EPERM', () =>
        openSync(at('f'), constants.O_RDWR | constants.O_APPEND | constants.O_TRUNC),
      );
      writeSync(fd, '!');
    });
    closeSync(fd);
    assert.equal(readFileSync(at('f'), 'utf8'), 'textmore!');
  });

  needs('flags', 'directories: names that may not change, or only be added', () => {
    mkdirSync(at('d'));
    writeFileSync(at('d', 'f'), '');
    writeFileSync(at('g'), '');
    const acts = {
      create: () => {
        writeFileSync(at('d', 'new'), '');
      },
      tmpfile: () => {
        closeSync(openSync(at('d'), O_TMPFILE | O_RDWR));
      },
      link: () => {
        linkSync(at('g'), at('d', 'g'));
      },
      write: () => {
        writeFileSync(at('d', 'f'), 'x');
      },
      in: () => {
        renameSync(at('g'), at('d', 'h'));
      },
      out: () => {
        renameSync(at('d', 'f'), at('f'));
      },
      unlink: () => {
        unlinkSync(at('d', 'f'));
      },
      chmod: () => {
        chmodSync(at('d'), 0o700);
      },
      rmdir: () => {
        rmdirSync(at('d'));
      },
    };
    const no = 'EPERM';
    having(at('d'), IMMUTABLE, () => {
      const { write, ...others } = outcomes(acts);
      assert.equal(write, 'ok');
      for (const [act, result] of Object.entries(others)) assert.equal(result, no, act);
    });
    having(at('d'), APPEND, () => {
      const { out, unlink, chmod, rmdir, ...others } = outcomes(acts);
      assert.deepEqual([out, unlink, chmod, rmdir], [no, no, no, no]);
      for (const [act, result] of Object.entries(others)) assert.equal(result, 'ok', act);
    });
    assert.deepEqual(readdirSync(at('d')).sort(), ['f', 'g', 'h', 'new']);
    rmSync(at('d'), { recursive: true });
  });
}

describeTrees('inode flags', (place) => {
  keeping(place);
  immutable(place);
});
