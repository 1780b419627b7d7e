import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OLD_NAMES } from '../../src/core/cli/old-names.js';
import { izo, IZO } from './run.js';

interface Envelope {
  error: { code: string; message: string; place: unknown; remedy: string | null; exit: number };
}

describe('izo on the command line', () => {
  let directory: string;
  const path = (name: string): string => join(directory, name);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'izo-cli-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  describe('help', () => {
    it('lists the commands', async () => {
      const { code, stdout } = await izo(['--help']);
      assert.equal(code, 0);
      assert.match(stdout, /^ {2}invite +let a client in/m);
    });

    it('shows no command that only mount(8) and umount(8) call', async () => {
      const { stdout } = await izo(['--help']);
      assert.doesNotMatch(stdout, /helper/);
    });

    it('explains a command, with examples and the exact default of --configdir', async () => {
      const { code, stdout } = await izo(['invite', '--help'], { env: { IZO_CONFIG_DIR: '/x' } });
      assert.equal(code, 0);
      assert.match(stdout, /\$ izo invite clientA/);
      assert.match(stdout, /default: \/etc\/intermezzo, env: IZO_CONFIG_DIR/);
    });

    it('says which version it is', async () => {
      const { code, stdout } = await izo(['--version']);
      assert.equal(code, 0);
      assert.match(stdout, /^izo\/\d+\.\d+\.\d+ linux-/);
    });

    it('says so, too, where nobody knows the user, nor the environment a home', () => {
      const bare = `mount --bind /dev/null /etc/passwd && exec env -i '${process.execPath}' '${IZO}' --version`;
      const words = ['--mount', 'sh', '-c', bare];
      const { status, stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^izo\/\d/);
    });

    it('has no colours where output is no terminal', async () => {
      const { stdout } = await izo(['--help']);
      assert.ok(!stdout.includes('\u001b'));
    });

    it('honours NO_COLOR', async () => {
      const { stdout, stderr } = await izo(['invite'], { env: { NO_COLOR: '1' } });
      assert.ok(!(stdout + stderr).includes('\u001b'));
    });
  });

  describe('unknown commands', () => {
    it('ends with 2 and suggests what was meant', async () => {
      const { code, stdout, stderr } = await izo(['invtie', 'clientA']);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        'izo: there is no command `invtie`. Try: Did you mean `invite`? `izo --help` lists the commands.\n',
      );
    });

    it('suggests nothing where nothing is near', async () => {
      const { code, stderr } = await izo(['xyzzy']);
      assert.equal(code, 2);
      assert.doesNotMatch(stderr, /Did you mean/);
    });

    for (const args of [
      ['help', 'staus'],
      ['staus', '--help'],
    ]) {
      it(`are told in the same words by ${args.join(' ')}`, async () => {
        const { code, stderr } = await izo(args);
        assert.equal(code, 2);
        assert.match(stderr, /^izo: there is no command `staus`\. Try: Did you mean `status`\?/);
      });
    }

    it('are not what options before the command are', async () => {
      const { code, stderr } = await izo(['--configdir', '/x', 'status']);
      assert.equal(code, 2);
      assert.match(stderr, /Options come after the command: izo COMMAND --configdir/);
    });

    it('answers in JSON when asked', async () => {
      const { code, stdout, stderr } = await izo(['xyzzy', '--json']);
      assert.equal(code, 2);
      assert.equal(stderr, '');
      assert.equal((JSON.parse(stdout) as Envelope).error.code, 'unknown-command');
    });
  });

  describe('under an old name', () => {
    for (const [name, command] of OLD_NAMES) {
      if (command.endsWith('-helper')) continue;
      it(`${name} is izo ${command}`, async function () {
        const { code: known } = await izo([command, '--help']);
        if (known !== 0) this.skip();
        symlinkSync(IZO, path(name));
        const { code, stdout } = await izo(['--help'], { program: path(name) });
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`\\$ izo ${command}\\b`));
      });
    }

    it('--version is that of izo', async () => {
      symlinkSync(IZO, path('mkizofs'));
      const { code, stdout } = await izo(['--version'], { program: path('mkizofs') });
      assert.equal(code, 0);
      assert.match(stdout, /^izo\//);
    });

    it('any other name is izo itself', async () => {
      symlinkSync(IZO, path('intermezzo'));
      const { stdout } = await izo(['invite', '--help'], { program: path('intermezzo') });
      assert.match(stdout, /\$ izo invite/);
    });
  });

  describe('errors', () => {
    it('are one paragraph: the command, the place, what is wrong, what to do; no stack', async () => {
      const file = path('sysid');
      writeFileSync(file, '<sysid name="a" psdv="/dev/intermezzo0"/>\n');
      const { code, stdout, stderr } = await izo(['invite', 'b', '--configdir', directory]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      const start = `izo invite: ${file}:1:17: unknown attribute \`psdv\` of \`<sysid>\`. Try: Did you mean \`psdev\`?`;
      assert.ok(stderr.startsWith(start), stderr);
      assert.equal(stderr.indexOf('\n'), stderr.length - 1, 'one line');
    });

    it('have a stack with IZO_DEBUG', async () => {
      const env = { IZO_CONFIG_DIR: directory, IZO_DEBUG: '1' };
      const { stderr } = await izo(['invite', 'b'], { env });
      assert.match(stderr, /\n {4}at /);
    });

    it('are an envelope on standard output with --json', async () => {
      const { code, stdout, stderr } = await izo(['invite', 'b', '--json'], {
        env: { IZO_CONFIG_DIR: directory },
      });
      assert.equal(code, 1);
      assert.equal(stderr, '');
      const { error } = JSON.parse(stdout) as Envelope;
      assert.deepEqual(Object.keys(error), ['code', 'message', 'place', 'remedy', 'exit']);
      assert.equal(error.code, 'config-missing');
      assert.deepEqual(error.place, { file: path('sysid') });
      assert.equal(error.exit, code);
    });

    for (const [what, args, message] of [
      [
        'a flag there is not',
        ['invite', 'b', '--fliset', 'x'],
        'there is no option `--fliset`. Try: Did you mean `--fileset`? `izo invite --help`.',
      ],
      ['an argument too many', ['invite', 'b', 'c'], 'Unexpected argument: c'],
      ['a flag without its value', ['invite', 'b', '--host'], 'Flag --host expects a value'],
      ['a missing argument', ['invite'], 'CLIENT is missing'],
    ] as const) {
      it(`of usage end with 2 and point to the help: ${what}`, async () => {
        const { code, stderr } = await izo(args);
        assert.equal(code, 2);
        assert.ok(stderr.startsWith(`izo invite: ${message}`), stderr);
        assert.ok(stderr.endsWith(' `izo invite --help`.\n'), stderr);
      });
    }

    for (const [what, args, message] of [
      ['no number', ['sync', '--timeout', 'x'], '--timeout is an integer, not x.'],
      ['a flag that is needed', ['conflicts', 'resolve', '1'], '--keep is missing.'],
      [
        'two that exclude each other',
        ['log', '--follow', '--json'],
        '--json does not go with --follow',
      ],
      ['an empty name', ['status', '--configdir='], '--configdir: the name of the directory is'],
    ] as const) {
      it(`of usage are sentences: ${what}`, async () => {
        const { code, stderr, stdout } = await izo(args);
        assert.equal(code, 2);
        const said = stderr === '' ? (JSON.parse(stdout) as Envelope).error.message : stderr;
        assert.ok(said.includes(message.replace(/\.$/, '')), said);
      });
    }

    for (const args of [['--help'], ['--version']]) {
      it(`of output that cannot be written are one line: izo ${args.join(' ')}`, () => {
        const full = openSync('/dev/full', 'w');
        try {
          const stdio = ['ignore', full, 'pipe'] as const;
          const { status, stderr } = spawnSync(process.execPath, [IZO, ...args], {
            stdio: [...stdio],
          });
          assert.equal(status, 1);
          const said = stderr.toString();
          assert.match(said, /^izo: standard output cannot be written \(ENOSPC\)\. Try: .*\n$/);
        } finally {
          closeSync(full);
        }
      });
    }

    it('of output that nobody can hear change no exit code', () => {
      const full = openSync('/dev/full', 'w');
      try {
        const { status } = spawnSync(process.execPath, [IZO, 'xyzzy'], {
          stdio: ['ignore', 'ignore', full],
        });
        assert.equal(status, 2);
      } finally {
        closeSync(full);
      }
    });

    it('of a home that cannot be read are none', () => {
      const home = path('home');
      mkdirSync(join(home, '.local/share/izo'), { recursive: true });
      writeFileSync(join(home, '.local/share/izo/package.json'), 'not { JSON');
      const { status, stderr } = spawnSync(process.execPath, [IZO, 'umountizo'], {
        env: { PATH: process.env['PATH'], HOME: home, IZO_RUN_DIR: path('run') },
      });
      assert.equal(stderr.toString(), '');
      assert.equal(status, 0);
    });

    it('are what the hidden command gets that removes a demonstration, where it is none', async () => {
      const precious = path('precious');
      // As if it were one, but where the user has it.
      const alike = path('izo-demo-abcdef');
      for (const each of [precious, alike]) mkdirSync(each);
      const none = [precious, alike, '', 'izo-demo-abcdef', path('izo-demo-'), `${precious}/..`];
      for (const root of none) {
        const { code, stderr } = await izo(['demo-janitor', root]);
        assert.equal(code, 2, stderr);
      }
      assert.equal((await izo(['demo-janitor'])).code, 2);
      assert.deepEqual(readdirSync(directory).sort(), ['izo-demo-abcdef', 'precious']);
    });

    it('of usage are an envelope too', async () => {
      const { code, stdout } = await izo(['invite', '--json']);
      assert.equal(code, 2);
      const { error } = JSON.parse(stdout) as Envelope;
      assert.equal(error.code, 'usage');
      assert.equal(error.place, null);
    });
  });
});
