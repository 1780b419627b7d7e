import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { ENODATA, E } from '../../src/core/system/errno.js';
import { AT_FDCWD, linkat, mknodat, O_RDWR, O_TMPFILE } from '../../src/core/system/files.js';
import { ACCESS, DEFAULT, encodeAcl, getAcl, setAcl } from '../support/acl.js';
import { fails, outcome } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';
import { asUser, withUmask, type User } from '../support/users.js';
import { getXattr, listXattrs, removeXattr, setXattr } from '../support/xattr.js';

const ANN: User = { uid: 61001, gid: 61001 };
const BOB: User = { uid: 61002, gid: 61002 };
const TEAM = 61100;
const MEMBER: User = { uid: 61003, gid: 61003, groups: [TEAM] };

const mode = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

const SHARED = `u::rwx,u:${ANN.uid}:rwx,g::r-x,g:${TEAM}:rw-,m::rwx,o::---`;

/** What a mkdir, an open, a mkfifo and a mknod of a file make in `directory`: modes by name. */
function makeAll(directory: string, umask: number): Record<string, string> {
  const at = (name: string): string => `${directory}/${name}`;
  withUmask(umask, () => {
    mkdirSync(at('d'), 0o777);
    writeFileSync(at('f'), '', { mode: 0o666 });
    writeFileSync(at('secret'), '', { mode: 0o600 });
    mknodat(AT_FDCWD, at('p'), 0o010664, 0);
    mknodat(AT_FDCWD, at('n'), 0o100755, 0);
    symlinkSync('x', at('l'));
  });
  return Object.fromEntries(readdirSync(directory).map((name) => [name, mode(at(name))]));
}

function inheritance({ at, needs }: Place): void {
  needs('users', 'a default ACL takes the place of the umask', () => {
    mkdirSync(at('s'));
    assert.equal(setAcl(at('s'), DEFAULT, SHARED), 0);
    const modes = makeAll(at('s'), 0o077);
    const expected = { d: '770', f: '660', secret: '600', p: '660', n: '750', l: '777' };
    assert.deepEqual(modes, expected);
    const made = (mask: string, owner = 'rwx'): string =>
      `u::${owner},u:${ANN.uid}:rwx,g::r-x,g:${TEAM}:rw-,m::${mask},o::---`;
    assert.equal(getAcl(at('s', 'd'), ACCESS), made('rwx'));
    assert.equal(getAcl(at('s', 'f'), ACCESS), made('rw-', 'rw-'));
    assert.equal(getAcl(at('s', 'secret'), ACCESS), made('---', 'rw-'));
    assert.equal(getAcl(at('s', 'p'), ACCESS), made('rw-', 'rw-'));
    assert.equal(getAcl(at('s', 'n'), ACCESS), made('r-x'));
    assert.equal(getAcl(at('s', 'l'), ACCESS), -E.EOPNOTSUPP);
    assert.equal(getAcl(at('s', 'd'), DEFAULT), SHARED);
    assert.equal(getAcl(at('s', 'f'), DEFAULT), -ENODATA);
  });

  needs('users', 'directories hand it on, whatever becomes of the one above', () => {
    mkdirSync(at('s'));
    setAcl(at('s'), DEFAULT, SHARED);
    mkdirSync(at('s', 'a'));
    assert.equal(removeXattr(at('s'), DEFAULT), 0);
    mkdirSync(at('s', 'a', 'b'));
    assert.equal(getAcl(at('s', 'a', 'b'), DEFAULT), SHARED);
    withUmask(0o027, () => {
      mkdirSync(at('s', 'c'));
    });
    assert.deepEqual([mode(at('s', 'c')), getAcl(at('s', 'c'), DEFAULT)], ['750', -ENODATA]);
    setAcl(at('s'), DEFAULT, 'u::rwx,g::---,o::---');
    mkdirSync(at('s', 'e'));
    assert.deepEqual([mode(at('s', 'e')), getAcl(at('s', 'e'), ACCESS)], ['700', -ENODATA]);
  });

  needs('users', 'without named entries only the bits count, and the umask still does not', () => {
    mkdirSync(at('s'));
    setAcl(at('s'), DEFAULT, 'u::rwx,g::rw-,o::r--');
    const modes = makeAll(at('s'), 0o777);
    assert.deepEqual(modes, { d: '764', f: '664', secret: '600', p: '664', n: '744', l: '777' });
    assert.deepEqual(listXattrs(at('s', 'f')), []);
  });

  needs('users', 'with the umask, where there is none: whatever its bits', () => {
    for (const umask of [0, 0o002, 0o027, 0o077, 0o777]) {
      const directory = at(`u${umask}`);
      mkdirSync(directory);
      const left = (asked: number): string => (asked & ~umask).toString(8);
      const expected = { d: left(0o777), f: left(0o666), secret: left(0o600) };
      const more = { p: left(0o664), n: left(0o755), l: '777' };
      assert.deepEqual(makeAll(directory, umask), { ...expected, ...more });
    }
  });

  needs('users', 'files without a name inherit where they are made, not where they get one', () => {
    mkdirSync(at('s'));
    setAcl(at('s'), DEFAULT, SHARED);
    const make = (directory: string, path: string): void => {
      const fd = withUmask(0o027, () => openSync(directory, O_TMPFILE | O_RDWR, 0o666));
      assert.equal(linkat(fd, '', AT_FDCWD, path), 0);
      closeSync(fd);
    };
    make(at('s'), at('f'));
    make(at(), at('s', 'g'));
    assert.deepEqual([mode(at('f')), mode(at('s', 'g'))], ['660', '640']);
    assert.match(String(getAcl(at('f'), ACCESS)), /^u::rw-,u:61001:rwx,.*m::rw-,o::---$/);
    assert.equal(getAcl(at('s', 'g'), ACCESS), -ENODATA);
  });

  needs('users', 'with setgid and sticky directories above', () => {
    mkdirSync(at('s'));
    chownSync(at('s'), 0, TEAM);
    chmodSync(at('s'), 0o3777);
    setAcl(at('s'), DEFAULT, SHARED);
    asUser(ANN, () => {
      makeAll(at('s'), 0o077);
    });
    assert.deepEqual([mode(at('s', 'd')), lstatSync(at('s', 'd')).gid], ['2770', TEAM]);
    assert.deepEqual([mode(at('s', 'f')), lstatSync(at('s', 'f')).gid], ['660', TEAM]);
  });

  needs('users', 'stays with an object that is moved or linked', () => {
    mkdirSync(at('s'));
    setAcl(at('s'), DEFAULT, SHARED);
    writeFileSync(at('s', 'f'), '');
    writeFileSync(at('plain'), '');
    renameSync(at('s', 'f'), at('moved'));
    renameSync(at('plain'), at('s', 'plain'));
    linkSync(at('moved'), at('linked'));
    assert.equal(getAcl(at('linked'), ACCESS), getAcl(at('moved'), ACCESS));
    assert.equal(typeof getAcl(at('moved'), ACCESS), 'string');
    assert.equal(getAcl(at('s', 'plain'), ACCESS), -ENODATA);
  });
}

function modesAndAcls({ at, needs }: Place): void {
  const acl = (mask: string, group = 'r--'): string =>
    `u::rw-,u:${ANN.uid}:rw-,g::${group},m::${mask},o::---`;

  needs('users', 'chmod changes the mask, and the mask is the group’s bits', () => {
    writeFileSync(at('f'), '');
    assert.equal(setAcl(at('f'), ACCESS, acl('rw-')), 0);
    assert.equal(mode(at('f')), '660');
    chmodSync(at('f'), 0o4640);
    assert.deepEqual([mode(at('f')), getAcl(at('f'), ACCESS)], ['4640', acl('r--')]);
    chmodSync(at('f'), 0o666);
    assert.equal(getAcl(at('f'), ACCESS), acl('rw-').replace('o::---', 'o::rw-'));
  });

  needs('users', 'an ACL that says no more than a mode becomes one', () => {
    writeFileSync(at('f'), '', { mode: 0o600 });
    assert.equal(setAcl(at('f'), ACCESS, 'u::rwx,g::r-x,o::r--'), 0);
    assert.deepEqual([mode(at('f')), getAcl(at('f'), ACCESS)], ['754', -ENODATA]);
    setAcl(at('f'), ACCESS, acl('rwx'));
    assert.equal(removeXattr(at('f'), ACCESS), 0);
    assert.deepEqual([mode(at('f')), getAcl(at('f'), ACCESS)], ['670', -ENODATA]);
    assert.deepEqual([removeXattr(at('f'), ACCESS), removeXattr(at('f'), DEFAULT)], [0, 0]);
  });

  needs('users', 'refuses what is no ACL, and default ACLs of files', () => {
    writeFileSync(at('f'), '');
    symlinkSync('f', at('l'));
    for (const wrong of ['u::rwx,g::r-x', 'u::rwx,u:5:r--,g::r-x,o::---', 'g::rwx,o::rwx']) {
      assert.equal(setAcl(at('f'), ACCESS, wrong), -E.EINVAL, wrong);
    }
    assert.equal(setXattr(at('f'), ACCESS, Buffer.from([1, 2, 3])), -E.EINVAL);
    assert.equal(setXattr(at('f'), ACCESS, Buffer.from([9, 0, 0, 0])), -E.EOPNOTSUPP);
    assert.equal(setAcl(at('f'), DEFAULT, SHARED), -E.EACCES);
    assert.equal(setAcl(at('l'), ACCESS, SHARED), -E.EOPNOTSUPP);
  });

  needs('users', 'of as many users as fit, and no more', () => {
    writeFileSync(at('f'), '');
    const users = (count: number): string =>
      Array.from({ length: count }, (_, i) => `u:${70_000 + i}:r--`).join(',');
    const large = (count: number): string => `u::rw-,${users(count)},g::r--,m::rw-,o::---`;
    assert.equal(setAcl(at('f'), ACCESS, large(300)), 0);
    assert.equal(getAcl(at('f'), ACCESS), large(300));
    assert.equal(setAcl(at('f'), ACCESS, large(506)), -E.ENOSPC);
    assert.equal(getAcl(at('f'), ACCESS), large(300));
  });

  needs(
    'users',
    'setgid goes where the owner is not in the group: with an ACL as with chmod',
    () => {
      for (const [who, kept] of [
        [ANN, false],
        [{ ...ANN, gid: TEAM }, true],
        [{ ...ANN, groups: [TEAM] }, true],
        [{ uid: 0, gid: 0 }, true],
      ] as const) {
        for (const change of [
          (path: string) => setAcl(path, ACCESS, acl('r-x')),
          (path: string) => {
            chmodSync(path, 0o2650);
            return 0;
          },
        ]) {
          writeFileSync(at('f'), '');
          chownSync(at('f'), ANN.uid, TEAM);
          chmodSync(at('f'), 0o2755);
          assert.equal(
            asUser(who, () => change(at('f'))),
            0,
          );
          assert.equal(mode(at('f')), kept ? '2650' : '650', String(change));
        }
      }
    },
  );
}

function access({ at, needs }: Place): void {
  const may = (who: User, path: string): boolean =>
    asUser(who, () => outcome(() => readFileSync(path))) === 'ok';

  needs('users', 'is given by user and by group, and limited by the mask', () => {
    writeFileSync(at('f'), 'x', { mode: 0o600 });
    assert.deepEqual([may(ANN, at('f')), may(MEMBER, at('f'))], [false, false]);
    setAcl(at('f'), ACCESS, `u::rw-,u:${ANN.uid}:r--,g::---,g:${TEAM}:r--,m::r--,o::---`);
    assert.deepEqual(
      [ANN, BOB, MEMBER].map((who) => may(who, at('f'))),
      [true, false, true],
    );
    chmodSync(at('f'), 0o600);
    assert.deepEqual(
      [ANN, BOB, MEMBER].map((who) => may(who, at('f'))),
      [false, false, false],
    );
    chmodSync(at('f'), 0o640);
    assert.deepEqual([may(ANN, at('f')), may(MEMBER, at('f'))], [true, true]);
    setAcl(at('f'), ACCESS, `u::rw-,u:${ANN.uid}:---,g::---,g:${TEAM}:---,m::r--,o::r--`);
    assert.deepEqual(
      [ANN, BOB, MEMBER].map((who) => may(who, at('f'))),
      [false, true, false],
    );
    removeXattr(at('f'), ACCESS);
    assert.deepEqual([may(ANN, at('f')), may(BOB, at('f'))], [true, true]);
  });

  needs('users', 'to new objects at once, by what they inherit', () => {
    mkdirSync(at('s'), 0o700);
    setAcl(at('s'), ACCESS, SHARED);
    setAcl(at('s'), DEFAULT, SHARED);
    writeFileSync(at('s', 'f'), 'x');
    assert.ok(may(ANN, at('s', 'f')));
    assert.ok(!may(BOB, at('s', 'f')));
    asUser(ANN, () => {
      writeFileSync(at('s', 'hers'), 'x');
    });
    fails('EACCES', () => {
      asUser(MEMBER, () => readdirSync(at('s', 'none')));
    });
  });

  needs('users', 'to an ACL is the owner’s', () => {
    writeFileSync(at('f'), '');
    chownSync(at('f'), ANN.uid, ANN.gid);
    const set = (who: User): number => asUser(who, () => setAcl(at('f'), ACCESS, SHARED));
    assert.deepEqual([set(BOB), set(ANN)], [-E.EPERM, 0]);
    assert.equal(
      asUser(BOB, () => removeXattr(at('f'), ACCESS)),
      -E.EPERM,
    );
    assert.equal(
      asUser(BOB, () => getAcl(at('f'), ACCESS)),
      SHARED,
    );
    assert.deepEqual(getXattr(at('f'), ACCESS), encodeAcl(SHARED));
  });
}

describeTrees('access control lists', (place) => {
  describe('new objects', () => {
    inheritance(place);
  });
  describe('modes', () => {
    modesAndAcls(place);
  });
  describe('access', () => {
    access(place);
  });
});
