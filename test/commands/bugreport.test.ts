import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../src/core/report/index.js';
import { run } from '../../src/core/system/processes.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { izo } from './run.js';

const KEY = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');
const TOKEN = `izo1.${'QUJD'.repeat(20)}.01234567`;

describe('izo bugreport', function () {
  this.timeout(60_000).slow(15_000);
  let root: string;
  let env: Record<string, string>;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'izo-report-'));
    const configDir = join(root, 'etc');
    mkdirSync(join(configDir, 'keys'), { recursive: true });
    writeFileSync(join(configDir, 'keys', 'clientA@muskox'), `${KEY}\n`, { mode: 0o600 });
    writeFileSync(join(configDir, 'serverdb'), '<serverdb>damaged');
    env = { IZO_CONFIG_DIR: configDir, IZO_RUN_DIR: join(root, 'run') };
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  async function report(): Promise<{ report: Report; directory: string }> {
    const output = join(root, 'report.tar.gz');
    const { code, stdout, stderr } = await izo(['bugreport', '-o', output, '--json'], { env });
    assert.equal(code, 0, stderr);
    assert.equal(statSync(output).mode & 0o7777, 0o600);
    await run('tar', ['-xzf', output, '-C', root]);
    return { report: JSON.parse(stdout) as Report, directory: join(root, 'report') };
  }

  const missing = ({ parts }: Report, name: string): string | undefined =>
    parts.find((part) => part.name === name)?.missing;

  it('is made where nothing is set up, and says what is missing', async () => {
    const { report: made, directory } = await report();
    assert.match(missing(made, 'config/sysid') ?? '', /ENOENT/);
    assert.equal(missing(made, 'config/serverdb'), undefined);
    assert.match(readFileSync(join(directory, 'izo-config-check.json'), 'utf8'), /serverdb/);
    const about = JSON.parse(readFileSync(join(directory, 'about.json'), 'utf8')) as object;
    assert.equal((about as { node: string }).node, process.version);
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as unknown;
    assert.deepEqual(index, made.parts);
  });

  it('has the log of a mounted fileset, and what its journal consists of', async () => {
    const mounted = await MountedHost.make('64M');
    try {
      await mounted.mount();
      writeFileSync(join(mounted.mountPoint, 'file'), 'contents that are nobody else’s business');
      env['IZO_RUN_DIR'] = mounted.host.runDir;
      const { directory } = await report();
      const [of = ''] = readdirSync(directory).filter((name) => name.endsWith(`.${FILESET}`));
      const read = (name: string): string => readFileSync(join(directory, of, name), 'utf8');
      assert.match(read('presto.log'), /the kernel speaks FUSE/);
      assert.match(read('izo-kml-stat.json'), /"operations"/);
      assert.match(read('izo-kml-dump.json'), /"CREATE"/);
      const grep = await run('grep', ['-r', 'business', directory], { okCodes: [1] });
      assert.equal(grep.stdout, '');
    } finally {
      await mounted.remove();
    }
  });

  it('never has a key or a token, wherever these have come to stand', async () => {
    writeFileSync(join(root, 'etc', 'fsetdb'), `<fsetdb><!-- ${TOKEN} --></fsetdb>`);
    writeFileSync(join(root, 'etc', 'serverdb'), `<serverdb><!-- ${KEY} --></serverdb>`);
    const hex = Buffer.from(KEY, 'base64').toString('hex');
    writeFileSync(join(root, 'etc', 'sysid'), `<sysid name="${hex}" />`);
    const { report: made, directory } = await report();
    for (const name of ['config/serverdb', 'config/sysid']) {
      assert.match(missing(made, name) ?? '', /a key of this host/);
    }
    assert.match(
      readFileSync(join(directory, 'config/fsetdb'), 'utf8'),
      /izo1\.\(a token was here\)/,
    );
    for (const secret of [KEY, TOKEN.slice(5, 60), hex]) {
      const found = await run('grep', ['-rlF', '--', secret, directory], { okCodes: [1] });
      assert.equal(found.stdout, '', secret);
    }
  });

  it('overwrites nothing', async () => {
    const output = join(root, 'there');
    writeFileSync(output, 'mine');
    const { code, stderr } = await izo(['bugreport', '--output', output], { env });
    assert.equal(code, 2);
    assert.match(stderr, /nothing is overwritten.*--output/s);
    assert.equal(readFileSync(output, 'utf8'), 'mine');
  });
});
