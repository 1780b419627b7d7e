import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { izo, IZO, type Finished } from './run.js';

const SERVERDB = '<serverdb><server name="muskox" ipaddr="127.0.0.1" port="23222" /></serverdb>';
const FSETDB =
  '<fsetdb><fileset name="shared" servername="muskox"><replicator>clientA</replicator></fileset></fsetdb>';
const SYSID = '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.1" />';

/** A host's directories, as `izo` finds them by its environment. */
class Place {
  readonly root = mkdtempSync(join(tmpdir(), 'izo-wrong-'));
  readonly config = join(this.root, 'etc');
  readonly image = join(this.root, 'fs0');
  readonly mountPoint = join(this.root, 'izo0');
  readonly env = {
    IZO_CONFIG_DIR: this.config,
    IZO_RUN_DIR: join(this.root, 'run'),
    IZO_STATE_DIR: join(this.root, 'var'),
  };

  constructor() {
    mkdirSync(this.config);
    mkdirSync(this.mountPoint);
    this.write('sysid', SYSID);
    this.write('serverdb', SERVERDB);
    this.write('fsetdb', FSETDB);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.config, name), `${text}\n`);
  }

  izo(...args: string[]): Promise<Finished> {
    return izo(args, { env: this.env });
  }

  mount(options = 'loop,fileset=shared'): Promise<Finished> {
    return this.izo('mount', this.image, this.mountPoint, '-o', options);
  }

  /** What all files hold, but for what is mounted. */
  hash(): string {
    const hash = createHash('sha256');
    for (const name of [...readdirSync(this.config)].sort()) {
      const path = join(this.config, name);
      hash.update(name).update(name === 'keys' ? '' : readFileSync(path));
    }
    return hash.digest('hex');
  }

  async remove(): Promise<void> {
    await this.izo('umountizo');
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** One paragraph that names the place and says what to do, and the exit code. */
function refused(result: Finished, code: number, ...says: (string | RegExp)[]): void {
  assert.equal(result.code, code, result.stderr);
  const said = result.stderr.trim();
  assert.equal(said.split('\n').length, 1, said);
  assert.doesNotMatch(said, /\n\s+at |node:internal/);
  for (const words of says) {
    if (typeof words === 'string') assert.ok(said.includes(words), `"${words}" in: ${said}`);
    else assert.match(said, words);
  }
  assert.match(said, /Try: /);
}

describe('wrong input', function () {
  this.timeout(60_000);
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });

  afterEach(async () => {
    await place.remove();
  });

  it('a misspelt attribute: its line and column, and what was meant', async () => {
    place.write('sysid', '<sysid name="muskox" psdve="/dev/intermezzo0" />');
    const before = place.hash();
    refused(await place.izo('lento'), 1, `${join(place.config, 'sysid')}:1:22`, 'psdev');
    assert.equal(place.hash(), before);
  });

  it('an unknown server name: where it stands, and the names there are', async () => {
    place.write('fsetdb', FSETDB.replace('muskox', 'muskoks'));
    refused(await place.izo('lento'), 1, 'fsetdb:1:', 'muskoks', 'Did you mean `muskox`?');
  });

  it('a port in use: how to find out by whom', async () => {
    await place.izo('invite', 'clientA');
    const other = createServer().listen(23222, '127.0.0.1');
    try {
      refused(await place.izo('lento'), 5, ':23222', 'ss -ltnp');
    } finally {
      other.close();
    }
  });

  it('no keys: what to run on which host', async () => {
    refused(await place.izo('lento'), 1, 'izo invite clientA', 'izo join');
  });

  it('a key that others can read', async () => {
    await place.izo('invite', 'clientA');
    const key = join(place.config, 'keys', 'clientA@muskox');
    writeFileSync(key, readFileSync(key), { mode: 0o600 });
    chmodSync(key, 0o644);
    refused(await place.izo('lento'), 1, key, `chmod 600 ${key}`);
  });

  it('a cache that is not formatted: the command that does it', async () => {
    writeFileSync(place.image, '');
    truncateSync(place.image, 10 * 1024 * 1024);
    const before = readFileSync(place.image);
    refused(await place.mount(), 1, place.image, `izo mkizofs -v shared ${place.image}`);
    assert.ok(readFileSync(place.image).equals(before));
  });

  it('a cache that is not there, a mount point that is not there', async () => {
    refused(await place.mount(), 1, place.image, 'mkizofs');
    await place.izo('mkizofs', '--size', '16M', '-v', 'shared', place.image);
    rmSync(place.mountPoint, { recursive: true });
    refused(await place.mount(), 1, place.mountPoint, `mkdir -p ${place.mountPoint}`);
    writeFileSync(place.mountPoint, '');
    refused(await place.mount(), 1, `${place.mountPoint}: this is not a directory`);
    rmSync(place.mountPoint);
    mkdirSync(place.mountPoint);
    const nowhere = '/proc/no/such/place';
    refused(
      await place.izo('mkizofs', '--size', '16M', nowhere),
      1,
      'directory /proc/no/such cannot',
    );
    refused(await place.izo('mkizofs', ''), 2, 'TARGET is empty');
  });

  it('a mount point that is not empty: what was there is hidden, and that is said', async () => {
    await place.izo('mkizofs', '--size', '16M', '-v', 'shared', place.image);
    writeFileSync(join(place.mountPoint, 'before'), '');
    const { code, stderr } = await place.mount();
    assert.equal(code, 0);
    assert.equal(
      stderr,
      `1 name that was in ${place.mountPoint} cannot be seen while it is mounted\n`,
    );
  });

  it('a file in place of a token: how to give it', async () => {
    const file = join(place.root, 'clientA.token');
    writeFileSync(file, 'izo1.x');
    refused(await place.izo('join', file), 2, `izo join - < ${file}`);
  });

  it('a cache in place of another that the mount has', async () => {
    const token = (await place.izo('invite', 'clientA')).stdout.trim();
    const client = new Place();
    try {
      rmSync(client.config, { recursive: true });
      mkdirSync(client.config);
      const fstab = join(client.root, 'fstab');
      writeFileSync(fstab, '');
      const join_ = (cache: string): Promise<Finished> =>
        client.izo(
          ...['join', token, '--fstab', fstab, '--size', '16M', '--bindaddr', '127.0.0.2'],
          ...['--mount', client.mountPoint, '--cache', join(client.root, cache)],
        );
      assert.equal((await join_('one')).code, 0);
      const before = readFileSync(fstab);
      refused(await join_('two'), 6, `--cache ${join(client.root, 'one')}`);
      assert.ok(readFileSync(fstab).equals(before));
      assert.ok(!existsSync(join(client.root, 'two')));
    } finally {
      await client.remove();
    }
  });

  it('a sysid that is no file, or goes round in circles, or comes from another system', async () => {
    const sysid = join(place.config, 'sysid');
    rmSync(sysid);
    symlinkSync('sysid', sysid);
    refused(await place.izo('lento'), 1, 'ELOOP');
    const checked = await place.izo('config-check');
    assert.match(checked.stdout, /error IZO1002: the file cannot be read \(ELOOP\)/);
    rmSync(sysid);
    writeFileSync(sysid, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(SYSID, 'utf16le')]));
    refused(await place.izo('lento'), 1, 'iconv -f UTF-16');
  });

  it('a misspelt mount option, no fileset, another fileset', async () => {
    await place.izo('mkizofs', '--size', '16M', '-v', 'shared', place.image);
    refused(await place.mount('loop,filset=shared'), 1, 'Did you mean `fileset`?');
    refused(await place.mount('loop'), 2, 'fileset=');
    refused(await place.mount('loop,fileset=other'), 1, 'shared', 'other');
  });

  it('a cache that is mounted: where, and how to end that', async () => {
    await place.izo('mkizofs', '--size', '16M', '-v', 'shared', place.image);
    assert.equal((await place.mount()).code, 0);
    const second = join(place.root, 'second');
    mkdirSync(second);
    const again = await place.izo('mount', place.image, second, '-o', 'loop,fileset=shared');
    refused(again, 5, place.mountPoint, `umountizo ${place.mountPoint}`);
    assert.equal((await place.mount()).code, 0, 'the same mount again is no mistake');
    const format = await place.izo('mkizofs', '-F', '-v', 'shared', place.image);
    assert.equal(format.code, 6, format.stderr);
    writeFileSync(join(place.mountPoint, 'still'), 'there');
    assert.equal(readFileSync(join(place.mountPoint, 'still'), 'utf8'), 'there');
  });

  it('somebody who is not root', async () => {
    const child = spawn(process.execPath, [IZO, 'mount', '/nowhere', '/nothing'], {
      uid: 65534,
      gid: 65534,
      env: { PATH: process.env['PATH'], ...place.env },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    refused({ code: Number(code), stdout: '', stderr: said }, 8, 'only root', 'sudo');
  });

  it('somebody who is not root, and asks what only root can see', () => {
    for (const [args, socket] of [
      [['kml', 'dump'], undefined],
      [['status'], 'muskox.lento.sock'],
    ] as const) {
      mkdirSync(place.env.IZO_RUN_DIR, { recursive: true, mode: 0o700 });
      if (socket !== undefined) writeFileSync(join(place.env.IZO_RUN_DIR, socket), '');
      chmodSync(place.root, 0o755);
      const { status, stderr } = spawnSync(process.execPath, [IZO, ...args], {
        ...{ uid: 65534, gid: 65534, encoding: 'utf8' },
        env: { PATH: process.env['PATH'], HOME: '/', ...place.env },
      });
      refused({ code: status, stdout: '', stderr }, 8, 'only root may');
    }
  });

  it('commands that need a lento which is not running', async () => {
    refused(await place.izo('status'), 4, 'izo lento');
    refused(await place.izo('sync'), 4, 'izo lento');
  });
});

describe('a wrong key', function () {
  this.timeout(60_000);

  it('is told by lento, by status and by sync, with what to run', async () => {
    const server = new Place();
    const client = new Place();
    const lentos: ReturnType<typeof spawn>[] = [];
    const start = async (place: Place): Promise<void> => {
      const child = spawn(process.execPath, [IZO, 'lento'], {
        env: { ...process.env, ...place.env },
      });
      lentos.push(child);
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (text: Buffer) => {
          if (text.includes('is ready')) resolve();
        });
      });
    };
    try {
      const token = (await server.izo('invite', 'clientA')).stdout.trim();
      rmSync(client.config, { recursive: true });
      mkdirSync(client.config);
      const joined = await izo(['join', '-', '--bindaddr', '127.0.0.2'], {
        env: client.env,
        input: `${token}\n`,
      });
      assert.equal(joined.code, 0, joined.stderr);
      const key = join(client.config, 'keys', 'clientA@muskox');
      writeFileSync(key, `${Buffer.alloc(32, 7).toString('base64')}\n`);
      await client.izo('mkizofs', '--size', '16M', '-v', 'shared', client.image);
      assert.equal((await client.mount()).code, 0);
      await start(server);
      await start(client);
      const status = await shownIn(client, /refused|key/);
      assert.match(status.stdout, /izo invite clientA|key/);
      assert.equal(status.code, 3);
      const sync = await client.izo('sync', '--timeout', '10');
      assert.notEqual(sync.code, 0);
      assert.match(sync.stderr, /not connected to muskox/);
    } finally {
      for (const child of lentos) child.kill('SIGTERM');
      await client.remove();
      await server.remove();
    }
  });
});

/** The status, as soon as it says something like that. */
async function shownIn(place: Place, wanted: RegExp): Promise<Finished> {
  for (let i = 0; ; i++) {
    const status = await place.izo('status');
    if (wanted.test(status.stdout) || i === 20) return status;
    await sleep(200);
  }
}
