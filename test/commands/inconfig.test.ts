import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFstabEntry, findKey, loadConfiguration } from '../../src/core/config/index.js';
import { izo, IZO, type Finished } from './run.js';

const SERVER = [
  ...['--sysid', 'muskox psdev=/dev/intermezzo0'],
  ...['--server', 'muskox ipaddr=192.168.0.3'],
  ...['--fileset', 'shared servername=muskox replicator=clientA,clientB'],
];

describe('izo inconfig without a terminal', function () {
  this.timeout(60_000);
  let root: string;
  let config: string;
  let fstab: string;
  const inRoot = (name: string): string => join(root, name);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'izo-inconfig-'));
    config = inRoot('etc');
    fstab = inRoot('fstab');
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const inconfig = (args: readonly string[], input = '', program = IZO): Promise<Finished> =>
    izo(program === IZO ? ['inconfig', ...args] : args, {
      env: { IZO_CONFIG_DIR: config, IZO_FSTAB: fstab, IZO_RUN_DIR: inRoot('run') },
      input,
      program,
    });

  const mount = (...more: string[]): string[] => [
    '--mount',
    [`${inRoot('izo0')} fileset=shared cache=${inRoot('lib/fs0')}`, ...more].join(' '),
  ];

  async function refused(
    result: Promise<Finished>,
    code: number,
    ...says: (string | RegExp)[]
  ): Promise<void> {
    const before = readdirSync(root).sort();
    const { code: was, stderr } = await result;
    assert.equal(was, code, stderr);
    for (const words of says)
      assert.match(stderr, typeof words === 'string' ? literally(words) : words);
    assert.match(stderr, /^izo inconfig: .* Try: /m);
    assert.deepEqual(readdirSync(root).sort(), before, 'nothing is written');
  }

  const literally = (text: string): RegExp =>
    new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

  it('does all of it by flags, and nothing the second time', async () => {
    const args = [...SERVER, ...mount('size=16M'), '--invite', 'clientA', '--json'];
    const { code, stdout, stderr } = await inconfig(args);
    assert.equal(code, 0, stderr);
    const done = JSON.parse(stdout) as { written: string[]; made: string[]; tokens: object };
    assert.deepEqual(done.made, [inRoot('lib/fs0'), inRoot('izo0')]);
    assert.deepEqual(done.written, [
      ...['keys/clientA@muskox', 'serverdb', 'fsetdb', 'sysid'].map((each) => join(config, each)),
      fstab,
    ]);
    assert.match(JSON.stringify(done.tokens), /^\{"clientA":"izo1\./);
    assert.equal(loadConfiguration({ configDir: config }).sysid.name, 'muskox');
    assert.equal(findFstabEntry(inRoot('izo0'), fstab).mountOptions.loop, true);
    const again = JSON.parse((await inconfig(args)).stdout) as typeof done;
    assert.deepEqual([again.written, again.made], [[], []]);
    assert.deepEqual(again.tokens, done.tokens);
  });

  it('takes the same of a file, as text and as JSON, called by its old name', async () => {
    const link = inRoot('inconfig');
    symlinkSync(IZO, link);
    writeFileSync(
      inRoot('answers'),
      '# our server\nsysid muskox psdev=/dev/intermezzo0\n\nserver "name=x" # no\n'.replace(
        'server "name=x" # no',
        'server muskox ipaddr=192.168.0.3 port="2223"  # the fast one',
      ),
    );
    const first = await inconfig(['--answers', inRoot('answers')], '', link);
    assert.equal(first.code, 0, first.stderr);
    const json = {
      fileset: [{ name: 'shared', servername: 'muskox', replicator: ['clientA'] }],
      sysid: { name: 'muskoxA1', psdev: '/dev/intermezzo1', file: 'sysid.muskoxA1' },
    };
    const second = await inconfig(['--answers', '-'], JSON.stringify(json));
    assert.equal(second.code, 0, second.stderr);
    const { servers, filesets } = loadConfiguration({ configDir: config });
    assert.equal(servers.get('muskox')?.port, 2223);
    assert.deepEqual(filesets.get('shared')?.replicators, ['clientA']);
    const { sysid } = loadConfiguration({ configDir: config, idfile: 'sysid.muskoxA1' });
    assert.equal(sysid.name, 'muskoxA1');
  });

  it('shows all of it and does nothing with --dry-run', async () => {
    const { code, stdout, stderr } = await inconfig([
      ...SERVER,
      ...mount('size=16M'),
      '--invite',
      'clientA',
      '--dry-run',
    ]);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^ {2}\+ {2}<server name="muskox" ipaddr="192\.168\.0\.3" port="2222"\/>$/m,
    );
    assert.match(stdout, /^make .*\/lib\/fs0: the cache of shared, ext3, 16 MiB$/m);
    assert.ok(!stdout.includes('izo1.'));
    assert.deepEqual(readdirSync(root), []);
  });

  it('keeps what it is not told about, and removes what it is told to', async () => {
    assert.equal((await inconfig(SERVER)).code, 0);
    const ours = '# /etc/fstab\nUUID=1 / ext4 errors=remount-ro 0 1\n';
    writeFileSync(fstab, ours);
    const file = join(config, 'fsetdb');
    const before = `<!-- ours -->\n${readFileSync(file, 'utf8')}`;
    writeFileSync(file, before);
    const more = ['--fileset', 'home servername=muskox', ...mount('options=noauto,nosuid')];
    const { code, stderr } = await inconfig(more);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /there is no cache .* Try: .*size=1G/);
    const after = before.replace(
      '</fsetdb>',
      '  <fileset name="home" servername="muskox"/>\n</fsetdb>',
    );
    assert.equal(readFileSync(file, 'utf8'), after);
    assert.equal(readFileSync(`${file}.bak`, 'utf8'), before);
    assert.ok(readFileSync(fstab, 'utf8').startsWith(ours));
    assert.match(readFileSync(fstab, 'utf8'), /cache_type=ext3,noauto,nosuid 0 0\n$/);
    const remove = ['--remove', 'fileset=home', '--remove', `mount=${inRoot('izo0')}`];
    assert.equal((await inconfig(remove)).code, 0);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.equal(readFileSync(fstab, 'utf8'), ours);
  });

  it('makes the key of a server and a client on one host', async () => {
    const { code } = await inconfig([
      ...SERVER,
      ...['--sysid', 'clientA psdev=/dev/intermezzo1 file=sysid.clientA'],
    ]);
    assert.equal(code, 0);
    assert.ok(findKey({ configDir: config, client: 'clientA', server: 'muskox' }));
  });

  it('says where an answer is wrong', async () => {
    await refused(inconfig([]), 2, 'there is no terminal');
    await refused(
      inconfig(['--server', 'muskox ipadr=1.2.3.4']),
      2,
      '--server:1:8:',
      'Did you mean `ipaddr`?',
    );
    await refused(inconfig(['--answers', inRoot('none')]), 2, 'the file does not exist');
    const wrong = inconfig(
      ['--answers', '-'],
      '{"server": [{"name": "a", "ipaddr": "1.2.3.4", "prt": 1}]}',
    );
    await refused(wrong, 2, 'standard input:1:', 'unknown attribute `prt`', '`port`');
  });

  it('writes nothing where the answers contradict each other', async () => {
    const wrong = (...args: string[]): Promise<Finished> => inconfig([...SERVER, ...args]);
    await refused(
      wrong('--fileset', 'x servername=muskoks'),
      1,
      '--fileset:1:14:',
      'Did you mean `muskox`',
    );
    writeFileSync(fstab, `/dev/sda1 ${inRoot('izo0')} ext4 defaults 0 0\n`);
    await refused(wrong(...mount()), 1, 'fstab:1:1', 'Choose another mount point');
  });

  it('does not touch a cache that holds something else, and takes back what it did', async () => {
    mkdirSync(inRoot('lib'));
    writeFileSync(inRoot('lib/fs0'), 'a letter');
    const foreign = inconfig([...SERVER, ...mount('size=16M')]);
    await refused(foreign, 6, '/lib/fs0 holds data of no known kind');
    assert.equal(readFileSync(inRoot('lib/fs0'), 'utf8'), 'a letter');
    rmSync(inRoot('lib'), { recursive: true });
    writeFileSync(config, 'no directory');
    const { code } = await inconfig([...SERVER, ...mount('size=16M')]);
    assert.equal(code, 1);
    assert.deepEqual(
      readdirSync(root).filter((name) => name !== 'run'),
      ['etc'],
    );
    assert.ok(!existsSync(inRoot('lib')));
  });
});
