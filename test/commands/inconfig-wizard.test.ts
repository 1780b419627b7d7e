import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findFstabEntry,
  findKey,
  invite,
  loadConfiguration,
  mustRead,
  readSysid,
} from '../../src/core/config/index.js';
import {
  configFiles,
  formatFsetdb,
  formatServerdb,
  formatSysid,
  saveConfigFiles,
  configFileToWrite,
  type InviteResult,
} from '../../src/core/config/index.js';
import { Terminal } from '../support/terminal.js';
import { izo, IZO } from './run.js';

/** A host of its own, and the wizard at its terminal. */
class Host {
  readonly root = mkdtempSync(join(tmpdir(), 'izo-wizard-'));
  readonly config = join(this.root, 'etc');
  readonly fstab = join(this.root, 'fstab');
  #terminal: Terminal | undefined;

  path(name: string): string {
    return join(this.root, name);
  }

  get #env(): Record<string, string> {
    return {
      IZO_CONFIG_DIR: this.config,
      IZO_FSTAB: this.fstab,
      IZO_RUN_DIR: this.path('run'),
      IZO_STATE_DIR: this.path('var'),
    };
  }

  /** What config-check finds wrong. */
  async errors(): Promise<string[]> {
    const { stdout } = await izo(['config-check', '--json'], { env: this.#env });
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { severity: string; message: string }[];
    };
    return diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  }

  start(...args: string[]): Terminal {
    this.#terminal?.close();
    const terminal = new Terminal();
    this.#terminal = terminal;
    terminal.start([process.execPath, IZO, 'inconfig', ...args], this.#env);
    return terminal;
  }

  remove(): void {
    this.#terminal?.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** What is asked, and the answer: keys of tmux, or a text that replaces what is suggested. */
type Answer = [asked: string, answer: string | string[]];

const ENTER = ['Enter'];

async function answer(terminal: Terminal, ...answers: Answer[]): Promise<void> {
  for (const [asked, keys] of answers) {
    // The question that is open is the last one with a question mark in front.
    const open = new RegExp(
      `^\\? ${asked.replace(/[.?*+^$()[\]\\]/g, '\\$&')}(?![\\s\\S]*^\\? )`,
      'm',
    );
    await terminal.see(open);
    if (typeof keys === 'string') terminal.type(keys);
    terminal.press(...(typeof keys === 'string' ? ENTER : keys));
    await terminal.gone(open);
  }
}

/** Configures a server in that directory, and invites a client. */
function inviteFrom(configDir: string, client: string): InviteResult {
  const { sysid, serverdb, fsetdb } = configFiles({ configDir });
  const fileset = {
    name: 'shared',
    servername: 'muskox',
    policy: 'write',
    conflicts: 'keep-both',
  } as const;
  saveConfigFiles([
    configFileToWrite(
      serverdb,
      formatServerdb([{ name: 'muskox', ipaddr: '192.168.0.3', port: 2222 }]),
    ),
    configFileToWrite(fsetdb, formatFsetdb([{ ...fileset, replicators: [client] }])),
    configFileToWrite(sysid, formatSysid({ name: 'muskox', psdev: '/dev/intermezzo0' })),
  ]);
  return invite({ configDir, client });
}

describe('the wizard of izo inconfig', function () {
  this.timeout(90_000);
  let host: Host;

  beforeEach(() => {
    host = new Host();
  });

  afterEach(() => {
    host.remove();
  });

  const mount = (name: string, cache: string, at: string): Answer[] => [
    [`Have ${name} mounted on this host`, ENTER],
    ['The cache:', host.path(cache)],
    ['There is no such file. Make it, of size:', '16M'],
    [`Where ${name} is mounted:`, host.path(at)],
    ['When is it mounted?', ENTER],
  ];

  it('makes a server with two clients', async () => {
    const terminal = host.start();
    await answer(
      terminal,
      ['What is this host to be?', ENTER],
      ['Name of this host:', 'muskox'],
      ['Its psdev:', ENTER],
      ['Address that lento uses:', ENTER],
      ['Address by which others reach muskox:', ['Up', 'Enter']],
      ['Address:', '192.168.0.3'],
      ['Port:', ENTER],
      ['Listen on that address only?', ENTER],
      ['Name of the fileset:', ENTER],
      ['Hosts that replicate it', 'clientA clientB'],
      ['Change that?', ENTER],
      ['Another fileset?', ENTER],
      ...mount('shared', 'fs0', 'izo0'),
      ['Whom shall this server invite now?', ENTER],
    );
    await terminal.see(/Write this\?/);
    assert.ok(!existsSync(host.config) && !existsSync(host.fstab), 'nothing is written before');
    await answer(terminal, ['Write this?', ENTER]);
    await terminal.see('exit 0');
    const { sysid, servers, filesets } = loadConfiguration({ configDir: host.config });
    assert.deepEqual([sysid.name, sysid.psdev], ['muskox', '/dev/intermezzo0']);
    assert.equal(sysid.bindaddr, undefined);
    const server = servers.get('muskox');
    assert.deepEqual([server?.ipaddr, server?.port], ['192.168.0.3', 2222]);
    assert.deepEqual(filesets.get('shared')?.replicators, ['clientA', 'clientB']);
    for (const client of ['clientA', 'clientB']) {
      assert.ok(findKey({ configDir: host.config, client, server: 'muskox' }));
    }
    const entry = findFstabEntry(host.path('izo0'), host.fstab);
    assert.equal(entry.spec, host.path('fs0'));
    assert.equal(entry.mountOptions.fileset, 'shared');
    assert.ok(existsSync(host.path('fs0')) && existsSync(host.path('izo0')));
    assert.deepEqual(await host.errors(), []);
  });

  it('makes a client of a token', async () => {
    const server = host.path('server');
    const { token } = inviteFrom(server, 'clientA');
    const terminal = host.start();
    await answer(
      terminal,
      ['What is this host to be?', ['Down', 'Enter']],
      ['Have you got a token?', ENTER],
      ['Token:', token],
      ...mount('shared', 'fs0', 'izo0'),
      ['Write this?', ENTER],
    );
    await terminal.see('exit 0');
    assert.ok(!terminal.screen.includes(token.slice(0, 40)), 'the token is not shown');
    const config = loadConfiguration({ configDir: host.config });
    assert.equal(config.sysid.name, 'clientA');
    const id = { client: 'clientA', server: 'muskox' };
    assert.deepEqual(
      findKey({ configDir: host.config, ...id }),
      findKey({ configDir: server, ...id }),
    );
    assert.equal(findFstabEntry(host.path('izo0'), host.fstab).mountOptions.fileset, 'shared');
    assert.deepEqual(await host.errors(), []);
  });

  it('makes a server and a client on one host', async () => {
    const terminal = host.start();
    await answer(
      terminal,
      ['What is this host to be?', ['Down', 'Down', 'Enter']],
      ['Name of this host:', 'muskox'],
      ['Its psdev:', ENTER],
      ['Address that lento uses:', ['Up', 'Enter']],
      ['Address:', '192.168.0.3'],
      ['Address by which others reach muskox:', ENTER],
      ['Port:', ENTER],
      ['Listen on that address only?', 'y'],
      ['Name of this host:', 'muskoxA1'],
      ['Its psdev:', ENTER],
      ['Address that lento uses:', ['Up', 'Enter']],
      ['Address:', '192.168.0.100'],
      ['Name of the fileset:', ENTER],
      ['Hosts that replicate it', ENTER],
      ['Change that?', ENTER],
      ['Another fileset?', ENTER],
      ...mount('shared', 'fs0', 'izo0'),
      ...mount('shared', 'fs1', 'izo1'),
    );
    const screen = await terminal.see(/Write this\?/);
    assert.match(screen, /192\.168\.0\.100 is no address of this host/);
    await answer(terminal, ['Write this?', ENTER]);
    await terminal.see('exit 0');
    const first = loadConfiguration({ configDir: host.config });
    const second = loadConfiguration({ configDir: host.config, idfile: 'sysid.muskoxA1' });
    assert.deepEqual([first.sysid.name, first.sysid.bindaddr], ['muskox', '192.168.0.3']);
    assert.deepEqual(
      [second.sysid.name, second.sysid.psdev, second.sysid.bindaddr],
      ['muskoxA1', '/dev/intermezzo1', '192.168.0.100'],
    );
    assert.equal(first.servers.get('muskox')?.bindaddr, '192.168.0.3');
    assert.deepEqual(first.filesets.get('shared')?.replicators, ['muskoxA1']);
    assert.ok(findKey({ configDir: host.config, client: 'muskoxA1', server: 'muskox' }));
    for (const number of [0, 1]) {
      const { mountOptions } = findFstabEntry(host.path(`izo${number}`), host.fstab);
      assert.equal(mountOptions.prestodev, `/dev/intermezzo${number}`);
    }
    // All that config-check finds is that the addresses are those of another host.
    for (const each of await host.errors()) assert.match(each, /192\.168\.0\.(3|100)/);
  });

  it('says what is wrong where it is typed, and Ctrl-C leaves nothing behind', async () => {
    const terminal = host.start();
    await answer(terminal, ['What is this host to be?', ENTER]);
    await terminal.see(/^\? Name of this host:/m);
    terminal.type('not a name');
    terminal.press('Enter');
    await terminal.see(/`not a name` is not a valid name\. Use letters/);
    terminal.press('C-c');
    await terminal.see('exit 130');
    assert.match(terminal.screen, /izo inconfig: cancelled/);
    assert.ok(!existsSync(host.config) && !existsSync(host.fstab));
  });

  it('changes what is there, and nothing else', async () => {
    inviteFrom(host.config, 'clientA');
    const fsetdb = join(host.config, 'fsetdb');
    const before = readFileSync(fsetdb, 'utf8').replace('<fileset ', '<!-- ours -->\n  <fileset ');
    writeFileSync(fsetdb, before);
    const terminal = host.start();
    await answer(
      terminal,
      ['What next?', ['Down', 'Down', 'Down', 'Enter']],
      ['Which fileset?', ENTER],
      ['Hosts that replicate it', ' clientB'],
      ['Change that?', ENTER],
      ['What next?', ENTER],
    );
    const screen = await terminal.see(/Write this\?/);
    assert.match(screen, /^ {2}\+ {4}<replicator>clientB<\/replicator>$/m);
    await answer(terminal, ['Write this?', ENTER]);
    await terminal.see('exit 0');
    assert.equal(
      readFileSync(fsetdb, 'utf8'),
      before.replace('  </fileset>', '    <replicator>clientB</replicator>\n  </fileset>'),
    );
    assert.equal(readFileSync(`${fsetdb}.bak`, 'utf8'), before);
    assert.equal(mustRead(readSysid(join(host.config, 'sysid'))).name, 'muskox');
  });
});
