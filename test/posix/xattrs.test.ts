import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { ENODATA, E } from '../../src/core/system/errno.js';
import { AT_FDCWD, mknodat } from '../../src/core/system/files.js';
import { describeTrees, type Place } from '../support/tree.js';
import { asUser, type User } from '../support/users.js';
import { getXattr, listXattrs, removeXattr, setXattr } from '../support/xattr.js';

const ANN: User = { uid: 61001, gid: 61001 };

const text = (value: Buffer | number): string | number =>
  typeof value === 'number' ? value : value.toString('latin1');

function limits({ at }: Place): void {
  it('names of 255 bytes, values of a block', () => {
    writeFileSync(at('f'), '');
    const longest = `user.${'n'.repeat(250)}`;
    assert.equal(setXattr(at('f'), longest, 'v'), 0);
    assert.equal(text(getXattr(at('f'), longest)), 'v');
    assert.equal(setXattr(at('f'), `${longest}n`, 'v'), -E.ERANGE);
    assert.equal(setXattr(at('f'), 'user.', 'v'), -E.EINVAL);
    writeFileSync(at('g'), '');
    assert.equal(setXattr(at('g'), 'user.v', Buffer.alloc(4000, 'v')), 0);
    assert.equal(setXattr(at('g'), 'user.v', Buffer.alloc(4096)), -E.ENOSPC);
    assert.equal(setXattr(at('g'), 'user.w', Buffer.alloc(200)), -E.ENOSPC);
    assert.equal(setXattr(at('g'), 'user.w', Buffer.alloc(65_536)), -E.ENOSPC);
    assert.equal(setXattr(at('g'), 'user.w', Buffer.alloc(65_537)), -E.E2BIG);
    for (const name of ['system.izo.flags', 'system.x', 'x.y', 'user']) {
      assert.equal(setXattr(at('g'), name, Buffer.alloc(4)), -E.EOPNOTSUPP, name);
      assert.equal(removeXattr(at('g'), name), -E.EOPNOTSUPP, name);
    }
    assert.deepEqual(listXattrs(at('g')), ['user.v']);
    assert.equal(text(getXattr(at('g'), 'user.v')), 'v'.repeat(4000));
  });

  it('room for the answer', () => {
    writeFileSync(at('f'), '');
    assert.deepEqual(listXattrs(at('f'), 0), []);
    setXattr(at('f'), 'user.a', 'value');
    setXattr(at('f'), 'user.empty', '');
    assert.equal(getXattr(at('f'), 'user.a', 4), -E.ERANGE);
    assert.equal(text(getXattr(at('f'), 'user.a', 5)), 'value');
    assert.equal(text(getXattr(at('f'), 'user.empty', 1)), '');
    assert.equal(listXattrs(at('f'), 10), -E.ERANGE);
    assert.deepEqual(listXattrs(at('f'), 18), ['user.a', 'user.empty']);
  });
}

function namespaces({ at, needs }: Place): void {
  const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

  needs('users', 'user.: of files and directories, as their permissions allow', () => {
    writeFileSync(at('f'), '', { mode: 0o644 });
    mkdirSync(at('t'));
    chmodSync(at('t'), 0o1777);
    mkdirSync(at('d'), 0o755);
    mknodat(AT_FDCWD, at('p'), 0o010666, 0);
    for (const name of ['f', 'd', 't']) assert.equal(setXattr(at(name), 'user.a', 'x'), 0);
    assert.equal(setXattr(at('p'), 'user.a', 'x'), -E.EPERM);
    asUser(ANN, () => {
      assert.equal(text(getXattr(at('f'), 'user.a')), 'x');
      assert.equal(setXattr(at('f'), 'user.a', 'y'), -E.EACCES);
      assert.equal(removeXattr(at('f'), 'user.a'), -E.EACCES);
      assert.equal(setXattr(at('t'), 'user.a', 'y'), -E.EPERM);
    });
    chmodSync(at('f'), 0o602);
    asUser(ANN, () => {
      assert.equal(getXattr(at('f'), 'user.a'), -E.EACCES);
      assert.equal(setXattr(at('f'), 'user.a', 'y'), 0);
      assert.deepEqual(listXattrs(at('f')), ['user.a']);
    });
  });

  needs('users', 'trusted.: for root alone, and listed for root alone', () => {
    writeFileSync(at('f'), '');
    chownSync(at('f'), ANN.uid, ANN.gid);
    assert.equal(setXattr(at('f'), 'trusted.a', 'x'), 0);
    assert.equal(setXattr(at('f'), 'user.a', 'x'), 0);
    assert.deepEqual(listXattrs(at('f')), ['trusted.a', 'user.a']);
    asUser(ANN, () => {
      assert.deepEqual(listXattrs(at('f')), ['user.a']);
      assert.equal(getXattr(at('f'), 'trusted.a'), -ENODATA);
      assert.equal(setXattr(at('f'), 'trusted.a', 'y'), -E.EPERM);
    });
    assert.equal(text(getXattr(at('f'), 'trusted.a')), 'x');
    assert.equal(removeXattr(at('f'), 'trusted.a'), 0);
  });

  needs('users', 'security.: root’s to set, everybody’s to see', () => {
    writeFileSync(at('f'), '');
    chownSync(at('f'), ANN.uid, ANN.gid);
    assert.equal(setXattr(at('f'), 'security.izo', 'x'), 0);
    asUser(ANN, () => {
      assert.equal(text(getXattr(at('f'), 'security.izo')), 'x');
      assert.deepEqual(listXattrs(at('f')), ['security.izo']);
      assert.equal(setXattr(at('f'), 'security.izo', 'y'), -E.EPERM);
    });
  });

  it('capabilities are gone when the program changes, or its owner; also by root', () => {
    const changes: Record<string, () => void> = {
      write: () => {
        writeFileSync(at('f'), 'x', { flag: 'r+' });
      },
      truncate: () => {
        truncateSync(at('f'), 1);
      },
      O_TRUNC: () => {
        closeSync(openSync(at('f'), 'w'));
      },
      chown: () => {
        chownSync(at('f'), ANN.uid, -1);
      },
    };
    for (const [name, change] of Object.entries(changes)) {
      writeFileSync(at('f'), 'abc');
      assert.equal(setXattr(at('f'), 'security.capability', CAPABILITY), 0);
      chmodSync(at('f'), 0o755);
      assert.deepEqual(getXattr(at('f'), 'security.capability'), CAPABILITY, name);
      change();
      assert.equal(getXattr(at('f'), 'security.capability'), -ENODATA, name);
    }
  });

  it('capabilities given between two writes by one descriptor', () => {
    const fd = openSync(at('f'), 'w', 0o755);
    writeSync(fd, 'one');
    assert.equal(setXattr(at('f'), 'security.capability', CAPABILITY), 0);
    assert.deepEqual(getXattr(at('f'), 'security.capability'), CAPABILITY);
    writeSync(fd, 'two');
    assert.equal(getXattr(at('f'), 'security.capability'), -ENODATA);
    assert.equal(setXattr(at('f'), 'security.capability', CAPABILITY), 0);
    ftruncateSync(fd, 2);
    assert.equal(getXattr(at('f'), 'security.capability'), -ENODATA);
    assert.equal(setXattr(at('f'), 'security.capability', CAPABILITY), 0);
    closeSync(fd);
    assert.deepEqual(getXattr(at('f'), 'security.capability'), CAPABILITY);
  });
}

describeTrees('extended attributes', (place) => {
  describe('limits', () => {
    limits(place);
  });
  describe('names of', () => {
    namespaces(place);
  });
});
