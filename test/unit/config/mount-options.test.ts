import assert from 'node:assert/strict';
import { parseMountOptions, type MountOptions } from '../../../src/core/config/index.js';
import { errorOf } from './support.js';

const NOTHING: MountOptions = {
  loop: false,
  prestodev: '/dev/intermezzo0',
  binding: 'auto',
  upcallMs: 30_000,
  debugLevel: 0,
  readOnly: false,
  remount: false,
  nosuid: false,
  nodev: false,
  noexec: false,
};

const HOWTO = { fileset: 'fsetname', mtpt: '/izo0', cacheType: 'ext3' } as const;
const user = { nosuid: true, nodev: true, noexec: true };

const UNDERSTOOD: [description: string, text: string, Partial<MountOptions>][] = [
  ['nothing', '', {}],
  ['only commas', ',, ,', {}],
  [
    'the HOWTO, loop device, wrapped after a comma',
    'loop,fileset=fsetname,mtpt=/izo0, prestodev=/dev/intermezzo0,cache_type=ext3,noauto',
    { ...HOWTO, loop: true },
  ],
  [
    'the HOWTO, block device, with a line break',
    'fileset=fsetname,mtpt=/izo0,\nprestodev=/dev/intermezzo0,cache_type=ext3,noauto',
    HOWTO,
  ],
  ['another psdev', 'rw,prestodev=/dev/intermezzo1', { prestodev: '/dev/intermezzo1' }],
  ['the last one wins', 'ro,rw,fileset=a,fileset=b', { fileset: 'b' }],
  ['read-only', 'rw,ro', { readOnly: true }],
  ['remount', 'remount,ro', { remount: true, readOnly: true }],
  ['a binding', 'binding=native', { binding: 'native' }],
  ['a time for the permit', 'upcall=2', { upcallMs: 2_000 }],
  ['a level of the log', 'debuglevel=100', { debugLevel: 100 }],
  ['what user means', 'user', user],
  ['what user means, as mount(8) expands it', 'rw,noexec,nosuid,nodev,user', user],
  ['what user means, partly undone', 'users,exec,suid', { nodev: true }],
  ['what owner means', 'owner', { nosuid: true, nodev: true }],
  ['defaults undo', 'ro,nosuid,defaults', {}],
  ['loop with a device', 'loop=/dev/loop3', { loop: true }],
  [
    'others take theirs',
    '_netdev,nofail,x-systemd.requires=lento.service,X-mount.mkdir=0755,comment=any,uhelper=udisks2,noatime',
    {},
  ],
  ['quoted commas', 'context="system_u:object_r:tmp_t:s0:c127,c456",loop', { loop: true }],
  ['a quoted value', 'mtpt="/izo, the first"', { mtpt: '/izo, the first' }],
];

const REFUSED: [text: string, code: string, remedy: RegExp][] = [
  ['filset=shared', 'unknown-option', /Did you mean `fileset`\?/],
  ['cachetype=ext3', 'unknown-option', /Did you mean `cache_type`\?/],
  ['presto_dev=/dev/intermezzo0', 'unknown-option', /Did you mean `prestodev`\?/],
  ['lop', 'unknown-option', /Did you mean `loop`\?/],
  ['quota', 'unknown-option', /`loop`, `fileset`/],
  ['=x', 'unknown-option', /The options of InterMezzo/],
  ['fileset', 'bad-option', /fileset=VALUE/],
  ...['0', '-1', '2.5', '30s', '3601', '99999'].map((time): (typeof REFUSED)[number] => [
    `upcall=${time}`,
    'bad-option',
    /upcall=30/,
  ]),
  ...['-1', '1.5', 'all', '10000'].map((level): (typeof REFUSED)[number] => [
    `debuglevel=${level}`,
    'bad-option',
    /debuglevel=0/,
  ]),
  ['fileset=', 'bad-option', /fileset=VALUE/],
  ['fileset=a/b', 'bad-name', /letters/],
  ['prestodev=intermezzo0', 'bad-psdev', /\/dev\/intermezzo0/],
  ['mtpt=izo0', 'bad-option', /absolute path/],
  ['cache_type=ext2', 'bad-option', /`ext3` and `ext4`/],
  ['binding=devise', 'bad-option', /Did you mean `device`\?/],
  ['ro=1', 'bad-option', /Write `ro`/],
  ['loop,context="a,b', 'bad-option', /missing `"`/],
];

describe('mount options', () => {
  for (const [description, text, expected] of UNDERSTOOD) {
    it(`understands ${description}`, () => {
      assert.deepEqual(parseMountOptions(text), { ...NOTHING, ...expected });
    });
  }

  for (const [text, code, remedy] of REFUSED) {
    it(`refuses ${text}`, () => {
      const place = { file: '/etc/fstab', line: 3 };
      const error = errorOf(() => parseMountOptions(text, place));
      assert.equal(error.code, code);
      assert.match(error.remedy ?? '', remedy);
      assert.deepEqual(error.place, place);
    });
  }
});
