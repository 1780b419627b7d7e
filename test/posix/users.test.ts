import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  ftruncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { must } from '../../src/core/system/errno.js';
import { AT_FDCWD, copyFileRange, fallocate, mknodat } from '../../src/core/system/files.js';
import { fails, outcome } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';
import { asUser, withUmask, type User } from '../support/users.js';

const TEAM = 61100;
const OTHERS = 61200;
const ANN: User = { uid: 61001, gid: 61001 };
const MEMBER: User = { uid: 61003, gid: 61003, groups: [61300, TEAM] };
const ROOT: User = { uid: 0, gid: 0 };

const mode = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const owner = (path: string): string => `${lstatSync(path).uid}:${lstatSync(path).gid}`;

/** Opens for writing, acts, closes. */
function writing(path: string, act: (fd: number) => unknown): void {
  const fd = openSync(path, 'r+');
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}

/** What changes contents, by name. */
const CHANGES: Record<string, (path: string) => void> = {
  write: (path) => {
    writing(path, (fd) => writeSync(fd, 'y'));
  },
  append: (path) => {
    writeFileSync(path, 'y', { flag: 'a' });
  },
  truncate: (path) => {
    truncateSync(path, 1);
  },
  ftruncate: (path) => {
    writing(path, (fd) => {
      ftruncateSync(fd, 1);
    });
  },
  'truncate to the same size': (path) => {
    truncateSync(path, 3);
  },
  'open with O_TRUNC': (path) => {
    closeSync(openSync(path, 'w'));
  },
  'punch a hole': (path) => {
    writing(path, (fd) => must('fallocate', fallocate(fd, 3, 0, 4096)));
  },
  copy_file_range: (path) => {
    writing(path, (fd) => must('copy_file_range', copyFileRange(fd, 0, fd, 100, 2)));
  },
};

function setId({ at, needs }: Place): void {
  const left = (who: User, bits: number, change: (path: string) => void, name = 'f'): string => {
    writeFileSync(at(name), 'abc');
    chownSync(at(name), ANN.uid, TEAM);
    chmodSync(at(name), bits);
    asUser(who, () => {
      change(at(name));
    });
    return mode(at(name));
  };

  for (const [name, change] of Object.entries(CHANGES)) {
    needs('users', `${name}: by its owner, a member of its group, anybody; not by root`, () => {
      const strange: User = { uid: 61009, gid: 61009 };
      assert.equal(left(ROOT, 0o6777, change), '6777');
      for (const who of [ANN, MEMBER, strange]) {
        assert.equal(left(who, 0o6777, change), '777');
        assert.equal(left(who, 0o4766, change), '766');
        assert.equal(left(who, 0o1666, change), '1666');
      }
      // Without group execution it is not a privilege, but may have been set by a member only.
      assert.equal(left(ROOT, 0o6766, change), '6766');
      assert.equal(left(MEMBER, 0o2766, change), '2766');
      assert.equal(left(MEMBER, 0o6766, change), '2766');
      assert.equal(left(strange, 0o2766, change), '766');
    });
  }

  needs(
    'users',
    'by a new owner, also by root and where nothing changes; not from directories',
    () => {
      const give = (path: string): void => {
        chownSync(path, 61005, 61005);
      };
      const giveToTeam = (path: string): void => {
        chownSync(path, -1, TEAM);
      };
      const giveNothing = (path: string): void => {
        chownSync(path, -1, -1);
      };
      for (const change of [give, giveToTeam, giveNothing]) {
        assert.equal(left(ROOT, 0o6755, change), '755', change.name);
        assert.equal(left(ROOT, 0o2745, change), '2745', change.name);
        assert.equal(left(ROOT, 0o1644, change), '1644', change.name);
      }
      const inTeam: User = { ...ANN, groups: [TEAM] };
      for (const change of [giveToTeam, giveNothing]) {
        assert.equal(left(inTeam, 0o6755, change), '755', change.name);
        assert.equal(left(inTeam, 0o2745, change), '2745', change.name);
      }
      assert.equal(left(ANN, 0o6745, giveNothing), '745');
      assert.equal(
        left(ANN, 0o2745, (path) => chownSync(path, -1, ANN.gid)),
        '745',
      );
      mkdirSync(at('d'));
      chmodSync(at('d'), 0o7755);
      for (const change of [give, giveToTeam, giveNothing]) change(at('d'));
      assert.equal(mode(at('d')), '7755');
    },
  );

  needs('users', 'not by reading, renaming, linking or new times', () => {
    writeFileSync(at('other'), 'x');
    const path = at('f');
    assert.equal(
      left(ROOT, 0o6755, () => copyFileSync(path, at('copy'))),
      '6755',
    );
    utimesSync(path, 1, 2);
    renameSync(path, at('g'));
    assert.equal(mode(at('g')), '6755');
  });

  needs('users', 'chmod keeps setgid from who is not in the group', () => {
    const set = (bits: number) => (path: string) => {
      chmodSync(path, bits);
    };
    assert.equal(left(ANN, 0o644, set(0o6755)), '4755');
    assert.equal(left({ ...ANN, groups: [TEAM] }, 0o644, set(0o6755)), '6755');
    assert.equal(left({ uid: ANN.uid, gid: TEAM }, 0o644, set(0o2644)), '2644');
    mkdirSync(at('d'));
    chownSync(at('d'), ANN.uid, TEAM);
    asUser(ANN, () => {
      chmodSync(at('d'), 0o2755);
    });
    assert.equal(mode(at('d')), '755');
  });
}

function owners({ at, needs }: Place): void {
  needs('users', 'a file is given to a group of one’s own, and to nobody', () => {
    writeFileSync(at('f'), '');
    chownSync(at('f'), MEMBER.uid, MEMBER.gid);
    asUser(MEMBER, () => {
      chownSync(at('f'), -1, TEAM);
      assert.equal(owner(at('f')), `${MEMBER.uid}:${TEAM}`);
      chownSync(at('f'), MEMBER.uid, 61300);
      fails('EPERM', () => {
        chownSync(at('f'), -1, OTHERS);
      });
      fails('EPERM', () => {
        chownSync(at('f'), ANN.uid, -1);
      });
    });
    assert.equal(owner(at('f')), `${MEMBER.uid}:61300`);
    fails('EPERM', () => {
      asUser(ANN, () => {
        chownSync(at('f'), -1, ANN.gid);
      });
    });
  });

  needs('users', 'groups of the caller open what is the group’s', () => {
    writeFileSync(at('f'), 'x', { mode: 0o640 });
    chownSync(at('f'), 0, TEAM);
    const open = (who: User, flags: string): string =>
      asUser(who, () =>
        outcome(() => {
          closeSync(openSync(at('f'), flags));
        }),
      );
    assert.deepEqual(
      [open(MEMBER, 'r'), open(MEMBER, 'r+'), open(ANN, 'r')],
      ['ok', 'EACCES', 'EACCES'],
    );
    chmodSync(at('f'), 0o460);
    assert.deepEqual(
      [open(MEMBER, 'r'), open(MEMBER, 'r+'), open(ANN, 'r')],
      ['ok', 'ok', 'EACCES'],
    );
    // The owner's bits are the owner's, even where the group has more.
    chownSync(at('f'), ANN.uid, TEAM);
    chmodSync(at('f'), 0o060);
    assert.equal(open({ ...ANN, groups: [TEAM] }, 'r'), 'EACCES');
  });

  needs(
    'users',
    'links, fifos and sockets belong to their makers; devices are root’s to make',
    () => {
      chmodSync(at(), 0o777);
      asUser(MEMBER, () => {
        symlinkSync('x', at('l'));
        assert.equal(mknodat(AT_FDCWD, at('p'), 0o010666, 0), 0);
        assert.equal(mknodat(AT_FDCWD, at('s'), 0o140666, 0), 0);
        assert.equal(mknodat(AT_FDCWD, at('n'), 0o100666, 0), 0);
        assert.equal(
          outcome(() => must('mknod', mknodat(AT_FDCWD, at('c'), 0o020666, 0x103))),
          'EPERM',
        );
        lchownSync(at('l'), -1, TEAM);
      });
      const made = ['l', 'p', 's', 'n'].map((name) => owner(at(name)));
      const his = `${MEMBER.uid}:${MEMBER.gid}`;
      assert.deepEqual(made, [`${MEMBER.uid}:${TEAM}`, his, his, his]);
    },
  );
}

function directories({ at, needs }: Place): void {
  needs(
    'users',
    'setgid ones give their group; members may make setgid files in them, others not',
    () => {
      mkdirSync(at('g'));
      chownSync(at('g'), 0, TEAM);
      chmodSync(at('g'), 0o2777);
      const make = (who: User, name: string): void => {
        asUser(who, () =>
          withUmask(0, () => {
            closeSync(openSync(at('g', `f${name}`), 'w', 0o2775));
            closeSync(openSync(at('g', `t${name}`), 'w', 0o2764));
            mkdirSync(at('g', `d${name}`), 0o770);
            must('mknod', mknodat(AT_FDCWD, at('g', `p${name}`), 0o012775, 0));
          }),
        );
      };
      make(MEMBER, '1');
      make(ANN, '2');
      make({ uid: ANN.uid, gid: TEAM }, '3');
      make(ROOT, '4');
      const modes = (name: string): string[] =>
        ['f', 't', 'd', 'p'].map((kind) => mode(at('g', kind + name)));
      assert.deepEqual(modes('1'), ['2775', '2764', '2770', '2775']);
      assert.deepEqual(modes('2'), ['775', '2764', '2770', '775']);
      assert.deepEqual(modes('3'), modes('1'));
      assert.deepEqual(modes('4'), modes('1'));
      for (const name of ['f1', 't2', 'd3', 'p4']) assert.equal(lstatSync(at('g', name)).gid, TEAM);
    },
  );

  needs('users', 'sticky ones: who owns the file or the directory removes and renames', () => {
    mkdirSync(at('t'));
    chownSync(at('t'), MEMBER.uid, TEAM);
    chmodSync(at('t'), 0o1777);
    const make = (): void => {
      asUser(ANN, () => {
        writeFileSync(at('t', 'f'), '');
        mkdirSync(at('t', 'd'));
      });
    };
    make();
    const stranger: User = { uid: 61009, gid: 61009 };
    asUser(stranger, () => {
      writeFileSync(at('t', 'mine'), '');
      const tried = [
        () => {
          unlinkSync(at('t', 'f'));
        },
        () => {
          rmdirSync(at('t', 'd'));
        },
        () => {
          renameSync(at('t', 'f'), at('t', 'g'));
        },
        () => {
          renameSync(at('t', 'mine'), at('t', 'f'));
        },
      ];
      for (const act of tried) fails('EPERM', act);
    });
    for (const who of [ANN, MEMBER, ROOT]) {
      asUser(who, () => {
        renameSync(at('t', 'f'), at('t', 'g'));
        unlinkSync(at('t', 'g'));
        rmdirSync(at('t', 'd'));
      });
      make();
    }
  });
}

describeTrees('several users', (place) => {
  describe('set-id bits are taken off', () => {
    setId(place);
  });
  describe('owners', () => {
    owners(place);
  });
  describe('directories', () => {
    directories(place);
  });
});
