import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertPerl } from '../../../src/core/check/perl/convert.js';
import { parsePerl, PerlFault } from '../../../src/core/check/perl/parse.js';
import { readFsetdb, readServerdb, readSysid } from '../../../src/core/config/index.js';
import { temporaryDirectories } from '../config/support.js';

describe('files of the Perl era', () => {
  const temporary = temporaryDirectories();

  /** What the converted text means to the reader of today. */
  function means(kind: 'sysid' | 'serverdb' | 'fsetdb', text: string): unknown {
    const file = join(temporary(), kind);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, convertPerl(kind, file, text));
    const read = { sysid: readSysid, serverdb: readServerdb, fsetdb: readFsetdb }[kind];
    const { value, problems } = read(file);
    assert.deepEqual(problems, []);
    return JSON.parse(
      JSON.stringify(value, (key, each: unknown) => (/^places?$/.test(key) ? undefined : each)),
    );
  }

  const MUSKOX = { name: 'muskox', psdev: '/dev/intermezzo0', bindaddr: '192.168.0.3' };

  for (const [name, text] of [
    ['words', '# this host\nmuskox /dev/intermezzo0 192.168.0.3\n'],
    [
      'scalars',
      '$sysid = "muskox";\nour $psdev = \'/dev/intermezzo0\';\n$bindaddr = "192.168.0.3";\n1;\n',
    ],
    [
      'a hash',
      'use strict;\nmy %sysid = (name => "muskox", psdev => "/dev/intermezzo0", bindaddr => "192.168.0.3");',
    ],
    [
      'a reference',
      "{ name => 'muskox', 'psdev', '/dev/intermezzo0', bindaddr => '192.168.0.3', }",
    ],
  ] as const) {
    it(`sysid as ${name}`, () => assert.deepEqual(means('sysid', text), MUSKOX));
  }

  it('a sysid without the presto device has the first one', () => {
    assert.deepEqual(means('sysid', 'muskox\n'), { name: 'muskox', psdev: '/dev/intermezzo0' });
  });

  it('serverdb', () => {
    const text = `
$ServerDB = {            # all of them
  muskox => { ipaddr => "192.168.0.3", port => 2222 },
  'yak'  => { ipaddr => '192.168.0.4', port => "3333", bindaddr => '192.168.0.4' },
  gnu    => '192.168.0.5',
};
1;`;
    assert.deepEqual(means('serverdb', text), [
      { name: 'muskox', ipaddr: '192.168.0.3', port: 2222 },
      { name: 'yak', ipaddr: '192.168.0.4', port: 3333, bindaddr: '192.168.0.4' },
      { name: 'gnu', ipaddr: '192.168.0.5', port: 2222 },
    ]);
  });

  it('fsetdb', () => {
    const text = `%fsetdb = (
  shared => { servername => 'muskox', replicators => [ qw(clientA clientB) ] },
  wool   => { servername => 'yak', replicators => ['clientA', "clientC",] },
  horn   => { servername => 'yak', replicators => { clientA => 1 } },
);`;
    const common = { policy: 'write', conflicts: 'keep-both' };
    assert.deepEqual(means('fsetdb', text), [
      { name: 'shared', servername: 'muskox', replicators: ['clientA', 'clientB'], ...common },
      { name: 'wool', servername: 'yak', replicators: ['clientA', 'clientC'], ...common },
      { name: 'horn', servername: 'yak', replicators: ['clientA'], ...common },
    ]);
  });

  for (const [name, text] of [
    ['a command', '$sysid = `hostname`;'],
    ['a computed string', '$sysid = "host$n";'],
    ['a call', '$sysid = hostname();'],
    ['a sum', '$port = 2000 + 222;'],
    ['no end', '%x = ( a => { b => 1 }'],
    ['a string without end', "$x = 'abc"],
    ['a list without end', '$x = [ qw(a b'],
    ['a lone key', '%x = ( a => 1, b )'],
    ['two values for a name', '$x = 1; $x = 2;'],
    ['depth', `$x = ${'['.repeat(50)}`],
  ] as const) {
    it(`refuses ${name}`, () => assert.throws(() => parsePerl(text), PerlFault));
  }

  it('refuses data that mean nothing', () => {
    for (const [kind, text] of [
      ['sysid', '$psdev = "/dev/intermezzo0";'],
      ['sysid', '$sysid = "mus kox";'],
      ['serverdb', '%s = (muskox => { port => 2222 });'],
      ['serverdb', '%s = (muskox => { ipaddr => "muskox" });'],
      ['serverdb', '%s = (muskox => { ipaddr => "192.168.0.3", port => "many" });'],
      ['fsetdb', '%f = (shared => { replicators => [] });'],
      ['fsetdb', '%f = (shared => "muskox");'],
      ['fsetdb', '%f = (); %g = ();'],
    ] as const) {
      assert.throws(() => convertPerl(kind, 'file', text), PerlFault, text);
    }
  });

  it('takes time in proportion to the text', () => {
    const begin = performance.now();
    assert.throws(() => parsePerl(`%x = (${'a => 1, # comment\n'.repeat(20_000)}`), PerlFault);
    assert.throws(() => parsePerl(`$x = "${'\\\\'.repeat(200_000)}`), PerlFault);
    assert.ok(performance.now() - begin < 4000);
  });
});
