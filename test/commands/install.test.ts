import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { install, uninstall } from '../../src/core/install/install.js';
import type { Item, Step } from '../../src/core/install/items.js';
import { izo, IZO } from './run.js';

interface Installed {
  steps: Step[];
}

describe('izo install', function () {
  this.timeout(30_000);
  let root = '';
  const at = (path: string) => join(root, path);
  const tree = () => readdirSync(root, { recursive: true }).sort();

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'izo-install-'));
    // As on a host: some directories are there, and stay.
    mkdirSync(at('usr/local/share/man/man1'), { recursive: true });
    mkdirSync(at('sbin'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const run = async (...args: string[]): Promise<Step[]> => {
    const { code, stdout, stderr } = await izo(['install', '--root', root, '--json', ...args]);
    assert.equal(code, 0, stdout + stderr);
    return (JSON.parse(stdout) as Installed).steps;
  };

  const actions = (steps: readonly Step[]) => [...new Set(steps.map(({ action }) => action))];

  it('puts all in place, twice without a difference, and leaves nothing when it is removed', async () => {
    const before = tree();
    const planned = await run('--dry-run');
    assert.deepEqual(tree(), before);
    const made = await run();
    assert.deepEqual(made, planned);
    assert.deepEqual(actions(made), ['create']);
    for (const name of ['mount.InterMezzo', 'mount.intermezzo', 'mount.izo']) {
      assert.equal(readlinkSync(at(`sbin/${name}`)), IZO);
    }
    for (const name of ['umount.fuse.InterMezzo', 'umount.fuse.izo']) {
      assert.equal(readlinkSync(at(`sbin/${name}`)), IZO);
    }
    const share = at('usr/local/share');
    assert.ok(existsSync(join(share, 'man/man8/mount.InterMezzo.8')));
    assert.ok(existsSync(join(share, 'man/man5/intermezzo.5')));
    assert.match(readFileSync(join(share, 'man/man1/izo.1'), 'utf8'), /^\.TH IZO 1/m);
    const after = tree();

    assert.deepEqual(actions(await run()), ['keep']);
    assert.deepEqual(tree(), after);

    const removed = await run('--uninstall');
    assert.deepEqual(actions(removed), ['remove']);
    assert.equal(removed.length, made.length);
    assert.deepEqual(tree(), before);
    assert.deepEqual(await run('--uninstall'), []);
  });

  it('makes units that notify, are reloaded by HUP, and keep the mounts of the host in sight', async () => {
    await run('--prefix', '/usr');
    const text = readFileSync(at('usr/lib/systemd/system/lento@.service'), 'utf8');
    assert.match(text, /^Type=notify$/m);
    assert.match(text, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    const start = `^ExecStart=${process.execPath} ${IZO} lento --idfile=sysid\\.%i$`;
    assert.match(text, new RegExp(start, 'm'));
    assert.doesNotMatch(text, /^(Protect|Private|ReadWrite|ReadOnly|Inaccessible|MemoryDeny)/m);
    assert.match(
      readFileSync(at('usr/lib/systemd/system/lento.service'), 'utf8'),
      /izo\.js lento$/m,
    );
    // Enabled as systemctl does it; that goes, too.
    mkdirSync(at('etc/systemd/system/multi-user.target.wants'), { recursive: true });
    const wants = at('etc/systemd/system/multi-user.target.wants');
    symlinkSync('/usr/lib/systemd/system/lento@.service', join(wants, 'lento@muskoxA1.service'));
    symlinkSync('/usr/lib/systemd/system/cron.service', join(wants, 'cron.service'));
    await run('--uninstall');
    assert.deepEqual(readdirSync(wants), ['cron.service']);
  });

  it('completes commands, flags and their values in bash', async () => {
    await run();
    const script = at('usr/local/share/bash-completion/completions/izo');
    const complete = async (...words: string[]) => {
      const line = ['izo', ...words].map((word) => `'${word}'`).join(' ');
      const call = `. ${script}; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _izo 2>/dev/null; echo "\${COMPREPLY[@]}"`;
      return (await execa('bash', ['-c', call])).stdout.split(' ');
    };
    assert.ok((await complete('mki')).includes('mkizofs'));
    assert.deepEqual(await complete('kml', 'du'), ['dump']);
    assert.ok((await complete('mkizofs', '--s')).includes('--size'));
    assert.deepEqual(await complete('mkizofs', '-F', '--type', ''), ['ext3', 'ext4']);
    const [file] = await complete('mkizofs', script.slice(0, -2));
    assert.equal(file, script);
    const zsh = readFileSync(at('usr/local/share/zsh/site-functions/_izo'), 'utf8');
    assert.match(zsh, /^#compdef izo$/m);
  });

  it('takes links over that were made by hand, and refuses other files without changing anything', async () => {
    const link = at('sbin/mount.InterMezzo');
    symlinkSync('/gone/lib/node_modules/izo/bin/izo.js', link);
    const [first] = await run();
    assert.equal(first?.action, 'replace');
    assert.equal(readlinkSync(link), IZO);
    await run('--uninstall');

    writeFileSync(at('sbin/mount.izo'), 'of somebody else');
    const before = tree();
    const refused = await izo(['install', '--root', root]);
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /sbin\/mount\.izo \(not of izo\)/);
    assert.deepEqual(tree(), before);
    assert.equal(readFileSync(at('sbin/mount.izo'), 'utf8'), 'of somebody else');
  });

  describe('from release to release', () => {
    const file = (path: string, data: string): Item => ({ path, kind: 'file', data, mode: 0o644 });

    it('replaces what it has made, and removes what there is no more', () => {
      install(
        root,
        [file('/usr/local/share/a/old', '1'), file('/usr/local/share/same', '1')],
        false,
      );
      const steps = install(root, [file('/usr/local/share/same', '2')], false);
      assert.deepEqual(steps, [
        { action: 'replace', path: '/usr/local/share/same' },
        { action: 'remove', path: '/usr/local/share/a/old' },
      ]);
      assert.equal(readFileSync(at('usr/local/share/same'), 'utf8'), '2');
      assert.ok(!existsSync(at('usr/local/share/a')));
      assert.equal(statSync(at('usr/local/share/same')).mode & 0o777, 0o644);
    });

    it('neither overwrites nor removes what was changed since', () => {
      const before = tree();
      install(
        root,
        [file('/usr/local/share/unit', '1'), file('/usr/local/share/other', '1')],
        false,
      );
      writeFileSync(at('usr/local/share/unit'), 'edited');
      assert.throws(
        () => install(root, [file('/usr/local/share/unit', '2')], false),
        /it was changed since it was installed/,
      );
      const steps = uninstall(root, false);
      assert.deepEqual(
        steps.map(({ action }) => action),
        ['leave', 'remove'],
      );
      assert.equal(readFileSync(at('usr/local/share/unit'), 'utf8'), 'edited');
      assert.deepEqual(tree(), [...before, 'usr/local/share/unit'].sort());
    });

    it('puts a file in the place of a link, not where that leads', () => {
      writeFileSync(at('elsewhere'), 'precious');
      install(root, [{ path: '/sbin/x', kind: 'link', target: at('elsewhere') }], false);
      install(root, [file('/sbin/x', 'new')], false);
      assert.ok(lstatSync(at('sbin/x')).isFile());
      assert.equal(readFileSync(at('elsewhere'), 'utf8'), 'precious');
    });
  });
});
