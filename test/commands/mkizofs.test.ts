import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/core/model/exit-codes.js';
import { run } from '../../src/core/system/processes.js';
import { CacheScratch, flagsOf, hashOf, namesIn } from './cache-support.js';
import { izo, IZO, type Finished } from './run.js';

const JOURNAL_DATA = 0x4000;

/** The command, as users give it. What it does to disks is tested with the core, in cache-format.test.ts. */
describe('izo mkizofs', function () {
  this.timeout(60_000);
  let scratch: CacheScratch;
  const mkizofs = (...args: string[]): Promise<Finished> =>
    izo(['mkizofs', ...args], { env: { IZO_RUN_DIR: scratch.runDir } });

  beforeEach(() => {
    scratch = new CacheScratch();
  });
  afterEach(() => scratch.check());

  /** `dd if=/dev/zero of=/tmp/fs0 bs=1024 count=10k`: not sparse, other than what izo makes itself. */
  async function dd(): Promise<string> {
    const image = scratch.watch(join(scratch.path, 'fs0'));
    await run('dd', ['if=/dev/zero', `of=${image}`, 'bs=1024', 'count=10k']);
    return image;
  }

  it('HOWTO: mkizofs -v fsetname /tmp/cache', async () => {
    const image = await dd();
    const { code, stdout, stderr } = await mkizofs('-v', 'fsetname', image);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${image} is ready for fsetname\n`);
    assert.deepEqual(await namesIn(image, '/.intermezzo'), ['fsetname']);
    assert.ok((await flagsOf(image, '/.intermezzo/fsetname/kml')) & JOURNAL_DATA);
    await run('e2fsck', ['-fn', image]);
  });

  it('HOWTO: mkizofs -F /tmp/fs0, which its first mount names', async () => {
    const image = await dd();
    assert.equal((await mkizofs('-F', image)).code, 0);
    const lower = await scratch.take(image, { fileset: 'shared' });
    await lower.release();
    assert.deepEqual(await namesIn(image, '/.intermezzo'), ['shared']);
  });

  it('under its old name, with -h for help', async () => {
    const program = join(scratch.path, 'mkizofs');
    symlinkSync(IZO, program);
    const image = await dd();
    const env = { IZO_RUN_DIR: scratch.runDir };
    assert.equal((await izo(['-t', 'ext4', '-v', 'shared', image], { program, env })).code, 0);
    const { code, stdout } = await izo(['-h'], { program });
    assert.equal(code, 0);
    assert.match(stdout, /-v, --fileset=NAME/);
  });

  it('makes the image, and answers in JSON', async () => {
    const image = scratch.watch(join(scratch.path, 'new.img'));
    const { code, stdout, stderr } = await mkizofs(
      '--size',
      '16M',
      '-v',
      'shared',
      image,
      '--json',
    );
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), { target: image, fileset: 'shared' });
  });

  it('tells what is in the way in one paragraph, and ends with 6', async () => {
    const image = await dd();
    assert.equal((await mkizofs('-v', 'shared', image)).code, 0);
    const before = hashOf(image);
    const { code, stdout, stderr } = await mkizofs('-v', 'shared', image);
    assert.equal(code, EXIT.refused);
    assert.equal(stdout, '');
    const message = 'it holds the cache of shared already. Try: Mount it, or give -F';
    assert.ok(stderr.startsWith(`izo mkizofs: ${image}: ${message}`), stderr);
    assert.equal(stderr.indexOf('\n'), stderr.length - 1, 'one line');
    assert.equal(hashOf(image), before);
  });

  it('says who uses it, even to -F', async () => {
    const image = await scratch.cache();
    const lower = await scratch.take(image);
    const { code, stderr } = await mkizofs('-F', image);
    await lower.release();
    assert.equal(code, EXIT.refused);
    assert.ok(
      stderr.includes(
        'it is the cache of a fileset that is mounted. Try: Release it first: izo umountizo',
      ),
      stderr,
    );
  });

  it('refuses what it cannot do, and makes nothing', async () => {
    const missing = join(scratch.path, 'missing');
    const cases: [string[], number, RegExp][] = [
      [[missing], EXIT.refused, /there is no such file.*--size/],
      [['--size', '1M', missing], EXIT.refused, /too few/],
      [['--size', 'big', missing], EXIT.usage, /not a size/],
      [['-v', '../x', '--size', '16M', missing], EXIT.usage, /cannot be the name/],
      [['-t', 'xfs', missing], EXIT.usage, /ext3/],
      [['-F', '--convert', missing], EXIT.usage, /convert/],
      [['/dev/null'], EXIT.refused, /neither a file nor a block device/],
    ];
    for (const [args, expected, pattern] of cases) {
      const { code, stdout, stderr } = await mkizofs(...args);
      assert.equal(code, expected, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, pattern);
    }
    assert.ok(!existsSync(missing));
  });

  it('keeps the files of what it converts', async () => {
    const image = await dd();
    const tree = join(scratch.path, 'tree');
    mkdirSync(join(tree, 'sub'), { recursive: true });
    await run('mke2fs', ['-q', '-t', 'ext4', '-F', '-d', tree, image]);
    const refused = await mkizofs('-v', 'shared', image);
    assert.match(refused.stderr, /it holds ext4.*--convert/);
    assert.equal((await mkizofs('--convert', '-v', 'shared', image)).code, 0);
    assert.deepEqual(await namesIn(image, '/'), ['.intermezzo', 'lost+found', 'sub']);
  });

  it('is for root', async function () {
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    const readable = await run('setpriv', [...nobody, 'test', '-r', IZO], { okCodes: [1] });
    if (readable.code !== 0) this.skip();
    const args = [...nobody, process.execPath, IZO, 'mkizofs', '/dev/null'];
    const { code, stderr } = await run('setpriv', args, { okCodes: [EXIT.notPermitted] });
    assert.equal(code, EXIT.notPermitted);
    assert.match(stderr, /only root may make a cache.*sudo/);
  });
});
