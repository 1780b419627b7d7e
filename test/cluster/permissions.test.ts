import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { ENODATA } from '../../src/core/system/errno.js';
import { ACCESS, DEFAULT, getAcl, setAcl } from '../support/acl.js';
import { outcome, shOk } from '../support/calls.js';
import { useCluster } from '../support/cluster.js';
import { asUser, withUmask, type User } from '../support/users.js';
import { removeXattr } from '../support/xattr.js';

const TEAM = 61100;
const ANN: User = { uid: 61001, gid: 61001 };
const BOB: User = { uid: 61002, gid: 61002, groups: [TEAM] };

const mode = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const read = (who: User, path: string): string =>
  asUser(who, () => outcome(() => readFileSync(path)));
const acl = (user: string, mask: string): string =>
  `u::rw-,u:${ANN.uid}:${user},g::---,m::${mask},o::---`;

describe('cluster: several users on both hosts', function () {
  this.timeout(60_000);
  const cluster = useCluster();
  const sync = (host: Host) => cluster.sync(host);
  before(() => {
    // The hosts' directories are their makers' alone.
    chmodSync(dirname(cluster.work), 0o755);
  });

  for (const side of ['server', 'client'] as const) {
    it(`what the ${side} gives and takes by ACL and mode is given and taken on the other, at once`, async () => {
      const here = cluster[side];
      const there = cluster.otherThan(here);
      const ours = join(here.mountPoint, `f-${side}`);
      const theirs = join(there.mountPoint, `f-${side}`);
      writeFileSync(ours, 'x', { mode: 0o600 });
      await sync(here);
      // Each answer is one that the kernel over there remembers before the next change.
      assert.equal(read(ANN, theirs), 'EACCES');
      const steps: [change: () => unknown, ann: string, mode: string][] = [
        [() => setAcl(ours, ACCESS, acl('r--', 'r--')), 'ok', '640'],
        [() => chmodSync(ours, 0o600), 'EACCES', '600'],
        [() => setAcl(ours, ACCESS, acl('rw-', 'rw-')), 'ok', '660'],
        [() => removeXattr(ours, ACCESS), 'EACCES', '660'],
      ];
      for (const [change, expected, bits] of steps) {
        change();
        await sync(here);
        assert.deepEqual([read(ANN, theirs), mode(theirs)], [expected, bits], String(change));
      }
      assert.equal(getAcl(theirs, ACCESS), -ENODATA);
      await cluster.equal();
    });

    it(`objects made on the ${side} under a default ACL of the other`, async () => {
      const here = cluster[side];
      const there = cluster.otherThan(here);
      const at = (host: typeof here, ...names: string[]): string =>
        join(host.mountPoint, `d-${side}`, ...names);
      mkdirSync(at(there));
      chownSync(at(there), 0, TEAM);
      chmodSync(at(there), 0o3775);
      await sync(there);
      // This host remembers that there is none.
      writeFileSync(at(here, 'before'), '');
      await sync(here);
      const given = `u::rwx,u:${ANN.uid}:r-x,g::rwx,m::rwx,o::---`;
      assert.equal(setAcl(at(there), DEFAULT, given), 0);
      await sync(there);
      asUser(BOB, () =>
        withUmask(0o077, () => {
          mkdirSync(at(here, 'sub'));
          writeFileSync(at(here, 'sub', 'f'), 'x', { mode: 0o664 });
        }),
      );
      await cluster.equalAfter(here);
      for (const host of [here, there]) {
        assert.equal(getAcl(at(host, 'sub'), DEFAULT), given);
        assert.equal(getAcl(at(host, 'before'), ACCESS), -ENODATA);
        assert.deepEqual([mode(at(host, 'sub')), mode(at(host, 'sub', 'f'))], ['2770', '660']);
        assert.deepEqual(
          [read(ANN, at(host, 'sub', 'f')), lstatSync(at(host, 'sub')).gid],
          ['ok', TEAM],
        );
      }
      removeXattr(at(there), DEFAULT);
      await sync(there);
      withUmask(0o027, () => {
        writeFileSync(at(here, 'after'), '');
      });
      assert.equal(mode(at(here, 'after')), '640');
    });

    it(`inode flags that root sets on the ${side}, on files that are being written`, async () => {
      const here = cluster[side];
      const there = cluster.otherThan(here);
      const [ours, theirs] = [here, there].map((host) => join(host.mountPoint, `i-${side}`));
      assert.ok(ours !== undefined && theirs !== undefined);
      mkdirSync(ours);
      shOk('chattr +d "$1"', [ours]);
      const [log, fixed] = ['log', 'fixed'].map((name) => openSync(join(ours, name), 'a'));
      assert.ok(log !== undefined && fixed !== undefined);
      writeSync(log, 'one');
      writeSync(fixed, 'one');
      shOk('chattr +a "$1/log"; chattr +i "$1/fixed"', [ours]);
      writeSync(log, 'two');
      closeSync(log);
      closeSync(fixed);
      shOk('chattr +a "$1"', [ours]);
      await sync(here);
      const acts: Record<string, string> = {
        overwrite: outcome(() => {
          writeFileSync(join(theirs, 'log'), '');
        }),
        append: outcome(() => {
          appendFileSync(join(theirs, 'log'), 'three');
        }),
        change: outcome(() => {
          appendFileSync(join(theirs, 'fixed'), 'x');
        }),
        remove: outcome(() => {
          rmSync(theirs, { recursive: true });
        }),
      };
      assert.deepEqual(acts, {
        overwrite: 'EPERM',
        append: 'ok',
        change: 'EPERM',
        remove: 'EPERM',
      });
      await cluster.equalAfter(there);
      for (const at of [ours, theirs]) {
        assert.match(shOk('lsattr -d "$1"', [at]), /^-+a-*d-+ |^-+ad-+ /);
        assert.match(shOk('lsattr "$1/log"', [at]), /^-+ad-+ /);
        assert.match(shOk('lsattr "$1/fixed"', [at]), /^-+i-?d-+ /);
        assert.equal(readFileSync(join(at, 'log'), 'utf8'), 'onetwothree');
      }
      shOk('chattr -R -a -i "$1" && rm -r "$1"', [theirs]);
      await cluster.equalAfter(there);
      assert.equal(existsSync(ours), false);
    });

    it(`set-id bits that a user takes off on the ${side}`, async () => {
      const here = cluster[side];
      const path = join(here.mountPoint, `s-${side}`);
      writeFileSync(path, 'x');
      chownSync(path, ANN.uid, TEAM);
      chmodSync(path, 0o6776);
      asUser(BOB, () => {
        appendFileSync(path, 'y');
      });
      assert.equal(mode(path), '776');
      chmodSync(path, 0o6746);
      asUser({ ...ANN, groups: [TEAM] }, () => {
        chownSync(path, -1, ANN.gid);
      });
      await cluster.equalAfter(here);
      assert.equal(mode(path), '2746');
    });
  }
});
