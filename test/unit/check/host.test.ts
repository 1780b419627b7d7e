import assert from 'node:assert/strict';
import { join } from 'node:path';
import { check } from '../../../src/core/check/check.js';
import type { Diagnostic } from '../../../src/core/check/diagnostic.js';
import type { CacheFacts, HostFacts, MountPointFacts } from '../../../src/core/check/facts.js';
import { surveyFiles, type Survey } from '../../../src/core/check/survey.js';
import { keyPath } from '../../../src/core/config/index.js';
import { fixtures } from '../config/support.js';
import { DIRECTORY, FILE, healthyHost } from './healthy.js';

const configDir = join(fixtures, 'checks/base');
const survey = surveyFiles({ configDir, idfile: 'sysid', fstab: join(configDir, 'fstab') });
const CACHE = '/tmp/fs0';
const MOUNT_POINT = '/izo0';
const KEY = keyPath({ configDir, client: 'clientA', server: 'muskox' });

function found(change: Partial<HostFacts>, of: Survey = survey): Diagnostic[] {
  return check(of, { ...healthyHost(of), ...change });
}

/** `id file:line:column`, the file by its last name. */
function told(change: Partial<HostFacts>): string[] {
  return found(change).map(({ id, place: { file, line, column } }) => {
    const name = file.replace(`${configDir}/`, '');
    return line === undefined ? `${id} ${name}` : `${id} ${name}:${line}:${String(column)}`;
  });
}

function withCache(change: Partial<CacheFacts>): Partial<HostFacts> {
  const healthy = healthyHost(survey).caches.get(CACHE)!;
  return { caches: new Map([[CACHE, { ...healthy, ...change }]]) };
}

function withMountPoint(change: Partial<MountPointFacts>): Partial<HostFacts> {
  const healthy = healthyHost(survey).mountPoints.get(MOUNT_POINT)!;
  return { mountPoints: new Map([[MOUNT_POINT, { ...healthy, ...change }]]) };
}

function withPath(path: string, change: Partial<typeof FILE>): Partial<HostFacts> {
  const { paths } = healthyHost(survey);
  return { paths: new Map([...paths, [path, { ...(paths.get(path) ?? FILE), ...change }]]) };
}

function withKey(code: string): Partial<HostFacts> {
  const id = { configDir, client: 'clientA', server: 'muskox' };
  const trouble = { code, message: 'something', remedy: 'do something' };
  return { keys: [{ id, file: KEY, trouble }] };
}

const EXPECTED: [string, Partial<HostFacts>, string[]][] = [
  ['not root', { isRoot: false }, [`IZO4001 ${configDir}`]],
  ['no /dev/fuse', { hasFuse: false }, ['IZO4002 /dev/fuse']],
  ['no loop devices', { hasLoop: false }, ['IZO4003 /dev/loop-control']],
  [
    'a program missing',
    { missingPrograms: [{ program: 'mke2fs', package: 'e2fsprogs' }] },
    ['IZO4004 mke2fs'],
  ],
  ['an old Node', { node: 'v20.14.9' }, [`IZO4005 ${process.execPath}`]],
  ['an older Node', { node: 'v18.20.0' }, [`IZO4005 ${process.execPath}`]],
  ['addresses of another host', { addresses: [] }, ['IZO4006 serverdb:2:3', 'IZO4006 sysid:1:1']],
  [
    'the port taken by another program',
    {
      running: new Set(),
      ports: [{ server: 'muskox', address: '192.168.0.3', port: 2222, isTaken: true }],
    },
    ['IZO4007 serverdb:2:3', 'IZO4015 sysid'],
  ],
  [
    'the port taken by lento itself',
    { ports: [{ server: 'muskox', address: '192.168.0.3', port: 2222, isTaken: true }] },
    [],
  ],
  ['a clock of 1970', { now: 86_400_000, newest: undefined }, ['IZO4008 /etc/localtime']],
  [
    'a clock behind the files',
    { newest: { what: '/a', at: Date.UTC(2026, 0, 1, 1) } },
    ['IZO4008 /a'],
  ],
  ['a clock as good as right', { newest: { what: '/a', at: Date.UTC(2026, 0, 1, 0, 4) } }, []],
  ['few descriptors', { openFiles: 1024 }, ['IZO4009 /proc/self/limits']],
  ['a long run directory', { runDir: `/${'r'.repeat(100)}` }, [`IZO4010 /${'r'.repeat(100)}`]],
  [
    'a run directory that is not there',
    withPath('/run/intermezzo', { kind: 'missing' }),
    ['IZO4011 /run/intermezzo'],
  ],
  ['a directory open to all', withPath(configDir, { mode: 0o777 }), [`IZO4012 ${configDir}`]],
  ['a file open to its group', withPath(survey.files.fsetdb, { mode: 0o664 }), ['IZO4013 fsetdb']],
  ['a file of a user', withPath(survey.files.sysid, { uid: 1000 }), ['IZO4013 sysid']],
  ['no mount helper', { mountHelpers: new Set() }, ['IZO4014 fstab']],
  ['no lento', { running: new Set() }, ['IZO4015 sysid']],
  ['no mount point', withMountPoint({ kind: 'missing' }), ['IZO5001 fstab:2:10']],
  ['a file as mount point', withMountPoint({ kind: 'file' }), ['IZO5002 fstab:2:10']],
  ['files below the mount point', withMountPoint({ names: 3 }), ['IZO5003 fstab:2:10']],
  ['a dead mount', withMountPoint({ mounted: 'fuse.izo', answer: 'dead' }), ['IZO5004 fstab:2:10']],
  [
    'a mount that does not answer',
    withMountPoint({ mounted: 'fuse.izo', answer: 'silent' }),
    ['IZO5006 fstab:2:10'],
  ],
  ['a mount of something else', withMountPoint({ mounted: 'nfs' }), ['IZO5005 fstab:2:10']],
  ['the mount itself', withMountPoint({ mounted: 'fuse.InterMezzo', names: 3 }), []],
  ['no cache', withCache({ kind: 'missing' }), ['IZO5010 fstab:2:1']],
  ['a directory as cache', withCache({ kind: 'directory' }), ['IZO5011 fstab:2:1']],
  ['an unformatted cache', withCache({ contents: undefined }), ['IZO5012 fstab:2:1']],
  [
    'an xfs as cache',
    withCache({ contents: { type: 'xfs', words: 'xfs' } }),
    ['IZO5013 fstab:2:1'],
  ],
  ['an ext3 that is no cache', withCache({ filesets: [] }), ['IZO5013 fstab:2:1']],
  ["another fileset's cache", withCache({ filesets: ['wool'] }), ['IZO5014 fstab:2:1']],
  ['a cache that has no name yet', withCache({ filesets: ['-unnamed-'] }), []],
  [
    'an ext4 as ext3',
    withCache({ contents: { type: 'ext4', words: 'ext4' } }),
    ['IZO5015 fstab:2:85'],
  ],
  ['a cache without a journal', withCache({ hasJournal: false }), ['IZO5016 fstab:2:1']],
  ['a cache mounted by hand', withCache({ plainMount: '/mnt' }), ['IZO5017 fstab:2:1']],
  ['an image open to others', withCache({ mode: 0o644 }), ['IZO5018 fstab:2:1']],
  ['a disk too small for the image', withCache({ room: 1000 }), ['IZO5019 fstab:2:1']],
  ['an image too small', withCache({ contents: undefined, size: 1000 }), ['IZO5020 fstab:2:1']],
  ['a cache that cannot be looked at', withCache({ trouble: 'EACCES' }), ['IZO5021 fstab:2:1']],
  ['a block device with loop', withCache({ kind: 'block' }), ['IZO3015 fstab:2:1']],
  ['no key', withKey('no-key'), [`IZO6001 keys/clientA@muskox`]],
  ['an open key', withKey('key-mode'), [`IZO6002 keys/clientA@muskox`]],
  ['a damaged key', withKey('bad-key'), [`IZO6003 keys/clientA@muskox`]],
  ['an unreadable key', withKey('key-unreadable'), [`IZO6004 keys/clientA@muskox`]],
  [
    'a key nobody needs',
    { keyFiles: ['clientA@muskox', 'clientZ@muskox', 'README'] },
    ['IZO6005 keys/clientZ@muskox'],
  ],
];

describe('the check of a host', () => {
  for (const [name, change, expected] of EXPECTED) {
    it(name, () => {
      assert.deepEqual(told(change).sort(), [...expected].sort());
    });
  }

  it('gives back to root what is open, and closes keys with their directory', () => {
    const healthy = healthyHost(survey);
    const paths = new Map([
      ...healthy.paths,
      [KEY, { ...FILE, uid: 1000, mode: 0o644 }],
      [join(configDir, 'keys'), DIRECTORY],
    ]);
    const [key] = found({ ...withKey('key-mode'), paths });
    assert.deepEqual(key?.fixes, [
      { kind: 'chmod', path: join(configDir, 'keys'), mode: 0o700 },
      { kind: 'chown', path: KEY, uid: 0, gid: 0 },
      { kind: 'chmod', path: KEY, mode: 0o600 },
    ]);
    const [file] = found(withPath(survey.files.fsetdb, { mode: 0o666 }));
    assert.deepEqual(file?.fixes, [{ kind: 'chmod', path: survey.files.fsetdb, mode: 0o644 }]);
  });

  it('leaves a key that is a link, and a directory such as /tmp, to a human', () => {
    const link = { ...FILE, kind: 'other' as const };
    const healthy = healthyHost(survey);
    const [key] = found({
      ...withKey('key-mode'),
      paths: new Map([...healthy.paths, [KEY, link]]),
    });
    assert.deepEqual(key?.fixes, []);
    const [directory] = found(withPath(configDir, { mode: 0o1777 }));
    assert.equal(directory?.id, 'IZO4012');
    assert.deepEqual(directory.fixes, []);
  });
});
