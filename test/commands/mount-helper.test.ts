import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { parseMountOptions } from '../../src/core/config/index.js';
import { mountOrRemount } from '../../src/core/presto/mounting/remount.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { findMountAt } from '../../src/core/system/mounts.js';
import { izo, IZO } from './run.js';

const UMOUNT_HELPER = '/sbin/umount.fuse.InterMezzo';
const LINKS = ['/sbin/mount.InterMezzo', '/sbin/mount.fuse.InterMezzo', UMOUNT_HELPER];

/** mount(8) finds its helper in /sbin only: the links are there for as long as these tests run. */
describe('mount(8) with the helper', function () {
  this.timeout(60_000);
  const made: string[] = [];
  let root = '';
  let image = '';
  let mountPoint = '';
  let env: Record<string, string> = {};

  before(() => {
    for (const link of LINKS) {
      if (existsSync(link)) continue;
      symlinkSync(IZO, link);
      made.push(link);
    }
  });

  after(() => {
    for (const link of made) rmSync(link);
  });

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'izo-helper-'));
    image = join(root, 'fs0');
    mountPoint = join(root, 'izo0');
    env = { IZO_RUN_DIR: join(root, 'run') };
    mkdirSync(mountPoint);
    writeFileSync(image, '');
    truncateSync(image, 10 * 1024 * 1024);
    const made = await izo(['mkizofs', '-F', image], { env });
    assert.equal(made.code, 0, made.stderr);
  });

  afterEach(async () => {
    await izo(['umountizo'], { env });
    rmSync(root, { recursive: true, force: true });
  });

  const run = (program: string, args: string[], more: Record<string, string> = {}) =>
    execa(program, args, { env: { ...env, ...more }, reject: false });

  /** The options of the HOWTO's command and fstab line. */
  const options = () =>
    `loop,fileset=shared,prestodev=/dev/intermezzo0,mtpt=${mountPoint},cache_type=ext3`;

  it('mounts as the HOWTO has it, and umount(8) ends it with all it used', async () => {
    const mounted = await run('mount', ['-t', 'InterMezzo', '-o', options(), image, mountPoint]);
    assert.equal(mounted.exitCode, 0, mounted.stderr);
    assert.equal(findMountAt(mountPoint)?.type, 'fuse.InterMezzo');
    writeFileSync(join(mountPoint, 'file'), 'contents');
    const [state] = listMounted(join(root, 'run'));
    assert.ok(state !== undefined);
    assert.equal(state.device, image);
    const ended = await run('umount', [mountPoint]);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.equal(findMountAt(mountPoint), undefined);
    // umount(8) does not wait for presto, which has logs to flush.
    for (let i = 0; i < 100 && listMounted(join(root, 'run')).length > 0; i++) await sleep(100);
    assert.deepEqual(listMounted(join(root, 'run')), []);
    assert.equal(findMountAt(state.lowerPath), undefined);
  });

  it('refuses to unmount what programs use, and says who they are', async () => {
    const mounted = await izo(['mount', image, mountPoint, '-o', options()], { env });
    assert.equal(mounted.code, 0, mounted.stderr);
    // One by its working directory, one by an open file only.
    const inside = execa('sleep', ['60'], { cwd: mountPoint, reject: false });
    const opener = `exec tail -f ${join(mountPoint, 'file')}`;
    writeFileSync(join(mountPoint, 'file'), 'contents');
    const reader = execa('sh', ['-c', opener], { cwd: '/', reject: false });
    while (!readFileSync(`/proc/${reader.pid}/comm`, 'utf8').startsWith('tail')) await sleep(10);
    await sleep(100);
    try {
      // umount(8) looks for its helper by the number of the file system: all of FUSE have the same, and its words are its own.
      assert.equal((await run('umount', [mountPoint])).exitCode, 32);
      const byHelper = await run(UMOUNT_HELPER, [mountPoint]);
      const byIzo = await izo(['umountizo', mountPoint], { env });
      assert.deepEqual([byHelper.exitCode, byIzo.code], [32, 5]);
      for (const { stderr } of [byHelper, byIzo]) {
        // As a paragraph: line breaks are anywhere.
        const words = stderr.replaceAll(/\s+/g, ' ');
        assert.ok(words.includes(`sleep (pid ${inside.pid})`), stderr);
        assert.ok(words.includes(`tail (pid ${reader.pid})`), stderr);
      }
      writeFileSync(join(mountPoint, 'file'), 'more');

      const lazy = await run('umount', ['-l', mountPoint]);
      assert.equal(lazy.exitCode, 0, lazy.stderr);
      assert.equal(findMountAt(mountPoint), undefined);
      inside.kill();
      await inside;
      const still = readFileSync(`/proc/${reader.pid}/fd/3`, 'utf8');
      assert.equal(still, 'more');
      assert.equal(listMounted(join(root, 'run')).length, 1);
    } finally {
      inside.kill();
      reader.kill();
      await Promise.all([inside, reader]);
    }
    for (let i = 0; i < 500 && listMounted(join(root, 'run')).length > 0; i++) await sleep(10);
    assert.deepEqual(listMounted(join(root, 'run')), []);
    assert.equal((await execa('losetup', ['--associated', image])).stdout, '');
  });

  it('mounts by a line of fstab, twice, and again right after umount', async () => {
    const fstab = join(root, 'fstab');
    writeFileSync(fstab, `${image} ${mountPoint} InterMezzo ${options()},noauto 0 0\n`);
    const byFstab = () => run('mount', [mountPoint], { LIBMOUNT_FSTAB: fstab });
    const first = await byFstab();
    assert.equal(first.exitCode, 0, first.stderr);
    writeFileSync(join(mountPoint, 'file'), 'contents');
    const again = await izo(['mount', image, mountPoint, '-o', options()], { env });
    assert.match(again.stdout, /mounted already/);
    assert.equal((await run('umount', [mountPoint])).exitCode, 0);
    const second = await byFstab();
    assert.equal(second.exitCode, 0, second.stderr);
    assert.equal(readFileSync(join(mountPoint, 'file'), 'utf8'), 'contents');
  });

  it('mounts all of fstab, twice, with what systemd and others say there', async () => {
    const fstab = join(root, 'fstab');
    const more = 'auto,_netdev,nofail,noatime,x-systemd.requires=lento.service,x-systemd.automount';
    writeFileSync(fstab, `${image} ${mountPoint} InterMezzo ${options()},${more} 0 0\n`);
    // By this file only: the host's own fstab is none of a test's business.
    const all = () => run('mount', ['-a', '-T', fstab, '-t', 'InterMezzo']);
    const first = await all();
    assert.equal(first.exitCode, 0, first.stderr);
    assert.equal(findMountAt(mountPoint)?.source, image);
    const before = listMounted(join(root, 'run'));
    const second = await all();
    assert.equal(second.exitCode, 0, second.stderr);
    assert.deepEqual(listMounted(join(root, 'run')), before);
  });

  it('becomes read-only and writable again while it is mounted', async () => {
    const file = join(mountPoint, 'file');
    const mount = (...words: string[]) => run('mount', words);
    const byHand = (words: string) =>
      mountOrRemount(
        image,
        mountPoint,
        parseMountOptions(words),
        join(root, 'run'),
        () => undefined,
      );
    assert.equal((await izo(['mount', image, mountPoint, '-o', options()], { env })).code, 0);
    const readOnly = await mount('-o', 'remount,ro', mountPoint);
    assert.equal(readOnly.exitCode, 0, readOnly.stderr);
    assert.throws(() => writeFileSync(file, 'x'), { code: 'EROFS' });
    await assert.rejects(byHand(options()), /is mounted already, but ro, not rw/);
    const writable = await mount('-o', 'remount,rw', mountPoint);
    assert.equal(writable.exitCode, 0, writable.stderr);
    writeFileSync(file, 'contents');

    const fd = openSync(file, 'r+');
    await assert.rejects(byHand('remount,ro'), /is being written to/);
    closeSync(fd);
    await assert.rejects(byHand('remount,rw,fileset=other'), /remount cannot change fileset/);
    writeFileSync(file, 'still writable');

    // Nor can anything be written where it is mounted so at first.
    assert.equal((await run('umount', [mountPoint])).exitCode, 0);
    assert.equal(
      (await izo(['mount', image, mountPoint, '-o', `${options()},ro`], { env })).code,
      0,
    );
    assert.throws(() => writeFileSync(file, 'x'), { code: 'EROFS' });
    const again = await mount('-o', 'remount,rw', mountPoint);
    assert.equal(again.exitCode, 0, again.stderr);
    writeFileSync(file, 'writable');
  });

  it('fails as mount(8) expects it, with the reason', async () => {
    const wrong = options().replace('fileset', 'filset');
    const mounted = await run('mount', ['-t', 'InterMezzo', '-o', wrong, image, mountPoint]);
    assert.notEqual(mounted.exitCode, 0);
    assert.match(mounted.stderr, /Did you mean `fileset`/);
    assert.equal(findMountAt(mountPoint), undefined);
  });

  it('mounts again after presto was killed, and umountizo cleans up without mounting', async () => {
    const mount = () => run('mount', ['-t', 'InterMezzo', '-o', options(), image, mountPoint]);
    assert.equal((await mount()).exitCode, 0);
    writeFileSync(join(mountPoint, 'file'), 'contents');
    const kill = () => {
      const [state] = listMounted(join(root, 'run'));
      assert.ok(state !== undefined);
      process.kill(state.pid, 'SIGKILL');
    };
    kill();
    const second = await mount();
    assert.equal(second.exitCode, 0, second.stderr);
    assert.equal(readFileSync(join(mountPoint, 'file'), 'utf8'), 'contents');
    kill();
    const cleaned = await izo(['umountizo'], { env });
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.equal(findMountAt(mountPoint), undefined);
  });

  it('cleans up after a killed presto also where its state file is gone', async () => {
    const mount = () => izo(['mount', image, mountPoint, '-o', options()], { env });
    const killUnseen = () => {
      const [state] = listMounted(join(root, 'run'));
      assert.ok(state !== undefined);
      process.kill(state.pid, 'SIGKILL');
      rmSync(join(root, 'run', state.psdev, `${state.fileset}.json`));
      return state;
    };
    assert.equal((await mount()).code, 0);
    writeFileSync(join(mountPoint, 'file'), 'contents');
    killUnseen();
    const second = await mount();
    assert.equal(second.code, 0, second.stderr);
    assert.equal(readFileSync(join(mountPoint, 'file'), 'utf8'), 'contents');
    const { lowerPath, loopDevice } = killUnseen();
    const cleaned = await izo(['umountizo', mountPoint], { env });
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.equal(findMountAt(mountPoint), undefined);
    assert.equal(findMountAt(lowerPath), undefined);
    assert.ok(loopDevice !== undefined);
    const { stdout } = await execa('losetup', ['--associated', image]);
    assert.equal(stdout, '');
  });

  it('says where a run directory is too long for a socket, and mounts nothing', async () => {
    const long = { IZO_RUN_DIR: join(root, 'r'.repeat(100)) };
    const refused = await izo(['mount', image, mountPoint, '-o', options()], { env: long });
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /the kernel takes 107/);
    assert.match(refused.stderr, /IZO_RUN_DIR/);
    assert.equal(findMountAt(mountPoint), undefined);
  });
});
