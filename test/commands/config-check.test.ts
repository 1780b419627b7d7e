import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { izo, IZO, type Finished } from './run.js';

const BASE = fileURLToPath(new URL('../fixtures/config/checks/base', import.meta.url));

interface Checked {
  diagnostics: { id: string; severity: string; place: { file: string; line?: number } }[];
  counts: Record<string, number>;
  fixed: { kind: string; path: string }[];
}

describe('izo config-check', function () {
  this.timeout(30_000);
  let root: string;
  let configDir: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'izo-check-'));
    configDir = join(root, 'etc');
    cpSync(BASE, configDir, { recursive: true });
    // Addresses that this machine has, and nothing to mount.
    write('sysid', '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.1" />\n');
    write(
      'serverdb',
      '<serverdb>\n  <server name="muskox" ipaddr="127.0.0.1" port="22229" bindaddr="127.0.0.1" />\n</serverdb>\n',
    );
    write('fsetdb', '<fsetdb>\n  <fileset name="shared" servername="muskox" />\n</fsetdb>\n');
    write('fstab', '');
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (name: string, text: string): void => writeFileSync(join(configDir, name), text);
  const run = (args: readonly string[], program = IZO): Promise<Finished> =>
    izo(args, {
      program,
      env: {
        IZO_CONFIG_DIR: configDir,
        IZO_FSTAB: join(configDir, 'fstab'),
        IZO_RUN_DIR: join(root, 'run'),
        IZO_STATE_DIR: join(root, 'state'),
      },
    });
  const json = async (...args: string[]): Promise<[number | null, Checked]> => {
    const { code, stdout } = await run(['config-check', '--json', ...args]);
    return [code, JSON.parse(stdout) as Checked];
  };
  const ids = ({ diagnostics }: Checked): string[] => diagnostics.map(({ id }) => id);

  it('ends with 0 where there are only notes', async () => {
    const [code, checked] = await json();
    assert.deepEqual(
      checked.diagnostics.filter(({ severity }) => severity !== 'note'),
      [],
    );
    assert.equal(code, 0);
    assert.ok(ids(checked).includes('IZO2008'));
  });

  it('ends with 3 where there are warnings', async () => {
    chmodSync(join(configDir, 'fsetdb'), 0o666);
    const [code, checked] = await json();
    assert.equal(code, 3);
    assert.equal(checked.counts['warning'], 1);
  });

  it('ends with 1 where there are errors, and shows each with its place', async () => {
    write('sysid', '<sysid name="muskox"\n  psdevv="/dev/intermezzo0" />\n');
    const { code, stdout, stderr } = await run(['config-check']);
    assert.equal(code, 1);
    assert.equal(stderr, '');
    assert.match(stdout, /etc\/sysid:2:3: error IZO1021: unknown attribute `psdevv`/);
    assert.match(stdout, /Try: Did you mean `psdev`\?/);
    assert.match(stdout, /^1 error, 0 warnings, \d notes\.$/m);
  });

  it('is config_check as well, as a command and as a program', async () => {
    const link = join(root, 'config_check');
    symlinkSync(IZO, link);
    for (const finished of [await run(['config_check']), await run([], link)]) {
      assert.equal(finished.code, 0, finished.stderr);
      assert.match(finished.stdout, /note IZO2008/);
    }
  });

  it('takes another sysid file', async () => {
    write('other', '<sysid name="yak" psdev="/dev/intermezzo1" />\n');
    const [code, checked] = await json('--idfile', 'other');
    assert.equal(code, 3);
    assert.ok(ids(checked).includes('IZO2003'));
  });

  it('repairs what is safe, keeps what was there, and finds the rest', async () => {
    write('sysid', 'muskox /dev/intermezzo0 127.0.0.1\n');
    write('fsetdb', '$f = { shared => { servername => "muskox", replicators => [] } };\n');
    mkdirSync(join(configDir, 'keys'), { mode: 0o755 });
    chmodSync(join(configDir, 'serverdb'), 0o666);
    const before = readFileSync(join(configDir, 'sysid'), 'utf8');

    const dry = await run(['config-check', '--fix', '--dry-run']);
    assert.equal(dry.code, 1);
    assert.match(
      dry.stdout,
      /This would be done:\n {2}write .*\/etc\/fsetdb, keeping .*fsetdb\.bak/,
    );
    assert.match(dry.stdout, /^ {4}\+ {3}<fileset name="shared" servername="muskox"\/>$/m);
    assert.equal(readFileSync(join(configDir, 'sysid'), 'utf8'), before);

    const asked = await run(['config-check', '--fix']);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /no terminal to ask at\. Try: Give --yes/);
    assert.equal(readFileSync(join(configDir, 'sysid'), 'utf8'), before);

    const [code, checked] = await json('--fix', '--yes');
    assert.equal(code, 0);
    assert.equal(readFileSync(join(configDir, 'sysid.bak'), 'utf8'), before);
    assert.match(
      readFileSync(join(configDir, 'sysid'), 'utf8'),
      /<sysid name="muskox" psdev="\/dev\/intermezzo0" bindaddr="127.0.0.1"\/>/,
    );
    assert.equal(statSync(join(configDir, 'serverdb')).mode & 0o777, 0o644);
    assert.ok(checked.fixed.some(({ kind }) => kind === 'chmod'));
  });

  it('closes a key that is open', async () => {
    write(
      'fsetdb',
      '<fsetdb>\n  <fileset name="shared" servername="muskox"><replicator>clientA</replicator></fileset>\n</fsetdb>\n',
    );
    const key = join(configDir, 'keys', 'clientA@muskox');
    mkdirSync(join(configDir, 'keys'), { mode: 0o755 });
    writeFileSync(key, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o644 });
    const [code, checked] = await json();
    assert.equal(code, 1);
    assert.ok(ids(checked).includes('IZO6002'));
    const [, after] = await json('--fix', '--yes');
    assert.ok(!ids(after).includes('IZO6002'));
    assert.equal(statSync(key).mode & 0o777, 0o600);
    assert.equal(statSync(join(configDir, 'keys')).mode & 0o777, 0o700);
  });

  it('tells of an image that is not there, is no cache, or is one', async () => {
    const image = join(root, 'fs0');
    const line = `${image} ${root}/izo0 InterMezzo loop,fileset=shared 0 0\n`;
    write('fstab', line);
    assert.ok(ids((await json())[1]).includes('IZO5010'));
    writeFileSync(image, 'my diary', { mode: 0o600 });
    const [, foreign] = await json('--fix', '--yes');
    assert.ok(ids(foreign).includes('IZO5013'));
    assert.ok(!ids(foreign).includes('IZO5001'), 'the mount point was made');
    assert.equal(readFileSync(image, 'utf8'), 'my diary');
    rmSync(image);
    const { code } = await run(['mkizofs', '--size', '16M', '-v', 'shared', image]);
    assert.equal(code, 0);
    chmodSync(image, 0o600);
    const cacheIds = ids((await json())[1]).filter((id) => id.startsWith('IZO5'));
    assert.deepEqual(cacheIds, []);
  });
});

describe('izo config-check --selftest', function () {
  this.timeout(180_000);

  it('takes two hosts through a day, and leaves nothing', async () => {
    const { code, stdout, stderr } = await izo(['config-check', '--selftest'], {
      env: { IZO_CONFIG_DIR: '/nowhere' },
    });
    assert.equal(code, 1, 'the configuration of this host is missing all the same');
    assert.equal(stderr, '');
    const test = stdout.slice(stdout.indexOf('The self-test:'));
    assert.equal([...test.matchAll(/^ok {8}/gm)].length, 5, stdout);
    assert.match(test, /Nothing is wrong\.\n$/);
  });

  it('tells which step failed, and of what', async () => {
    const env = { IZO_CONFIG_DIR: '/nowhere', TMPDIR: '/no/such/directory' };
    const { code, stdout } = await izo(['config-check', '--selftest', '--json'], { env });
    assert.equal(code, 1);
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { id: string; message: string }[];
    };
    const failed = diagnostics.find(({ id }) => id === 'IZO8001');
    assert.match(failed?.message ?? '', /^could not format two caches, .*: ENOENT/);
  });
});
