import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/core/model/exit-codes.js';
import { run } from '../../src/core/system/processes.js';
import {
  CacheScratch,
  JOURNAL_DATA,
  MIB,
  TYPES,
  failsWith,
  flagsOf,
  hashOf,
  namesIn,
} from './cache-support.js';

const EXTENTS = 0x80000;
const LOGS = ['kml', 'lml', 'last_rcvd'];

describe('formatting a cache', function () {
  this.timeout(60_000);
  let scratch: CacheScratch;
  beforeEach(() => {
    scratch = new CacheScratch();
  });
  afterEach(() => scratch.check());

  for (const type of TYPES) {
    for (const fileset of ['shared', undefined]) {
      it(`makes ${type} ${fileset === undefined ? 'without a name' : 'with a name'}`, async () => {
        const image = scratch.image();
        const steps: string[] = [];
        await scratch.format(image, { type, fileset, onStep: (what) => steps.push(what) });
        assert.ok(steps.length >= 2);
        const { stdout } = await run('blkid', ['-p', '-o', 'value', '-s', 'TYPE', image]);
        assert.equal(stdout, type);
        assert.deepEqual(await namesIn(image, '/'), ['.intermezzo']);
        const [meta = ''] = await namesIn(image, '/.intermezzo');
        if (fileset !== undefined) assert.equal(meta, fileset);
        for (const name of ['', ...LOGS.map((log) => `/${log}`)]) {
          const flags = await flagsOf(image, `/.intermezzo/${meta}${name}`);
          assert.ok((flags & JOURNAL_DATA) !== 0, `${name} has flags ${flags.toString(16)}`);
          assert.equal((flags & EXTENTS) !== 0, type === 'ext4', `extents of ${name}`);
        }
        // Contents in the stage are not journaled: they would be written twice.
        assert.equal((await flagsOf(image, `/.intermezzo/${meta}/stage`)) & JOURNAL_DATA, 0);
        await run('e2fsck', ['-fn', image]);
      });
    }
  }

  it('makes the image, too', async () => {
    const image = scratch.watch(join(scratch.path, 'new'));
    await scratch.format(image, { size: 64 * MIB });
    assert.equal(statSync(image).size, 64 * MIB);
  });

  it('works on a block device, small as it is', async () => {
    const image = scratch.image();
    const { stdout: loop } = await run('losetup', ['--find', '--show', image]);
    try {
      await scratch.format(loop, { type: 'ext4' });
    } finally {
      await run('losetup', ['-d', loop]);
    }
    assert.deepEqual(await namesIn(image, '/'), ['.intermezzo']);
  });

  it('again needs -F', async () => {
    const image = scratch.image();
    await scratch.format(image);
    const before = hashOf(image);
    await assert.rejects(
      scratch.format(image),
      failsWith('foreign', { exit: EXIT.refused, pattern: /fs0: it holds .*-F/ }),
    );
    assert.equal(hashOf(image), before);
    await scratch.format(image, { force: true });
    assert.notEqual(hashOf(image), before);
  });

  describe('refuses and changes nothing:', () => {
    const refused = async (image: string, code: string, pattern: RegExp, options = {}) => {
      const before = hashOf(image);
      const expected = failsWith(code, { exit: EXIT.refused, pattern });
      await assert.rejects(scratch.format(image, options), expected);
      assert.equal(hashOf(image), before);
    };

    it('a foreign file system', async () => {
      const image = scratch.image();
      await run('mke2fs', ['-q', '-t', 'ext2', '-F', image]);
      await refused(image, 'foreign', /holds.* ext2/);
    });

    it('a partition table', async () => {
      const image = scratch.image();
      // An MBR with one entry of type Linux.
      const sector = Buffer.alloc(512);
      sector.set([0, 0, 2, 0, 0x83, 0, 3, 0, 1, 0, 0, 0, 0xff, 0x3f, 0, 0], 446);
      sector.set([0x55, 0xaa], 510);
      writeFileSync(image, Buffer.concat([sector, Buffer.alloc(10 * MIB - 512)]));
      await refused(image, 'foreign', /holds.* (dos|PMBR)/);
    });

    it('two file systems at once, between which blkid cannot decide', async () => {
      const image = scratch.image();
      await run('mke2fs', ['-q', '-t', 'ext3', '-F', image]);
      const bytes = readFileSync(image);
      // The magic of swap space at the end of the first page, which ext3 does not use.
      bytes.write('SWAPSPACE2', 4086, 'latin1');
      bytes.writeUInt32LE(1, 1024 * 1);
      writeFileSync(image, bytes);
      await refused(image, 'foreign', /holds/);
    });

    it('a file of something else', async () => {
      const image = join(scratch.path, 'thesis');
      writeFileSync(image, 'a thought\n'.repeat(MIB));
      await refused(image, 'foreign', /holds/);
    });

    it('what is too small', async () => {
      await refused(scratch.image('small', 4 * MIB), 'too-small', /8 MiB/);
    });

    it('what is attached to a loop device', async () => {
      const image = scratch.image();
      const { stdout: loop } = await run('losetup', ['--find', '--show', image]);
      try {
        await refused(image, 'in-use', new RegExp(`losetup -d ${loop}`), { force: true });
      } finally {
        await run('losetup', ['-d', loop]);
      }
    });

    it('what is mounted, as a file and as a device', async () => {
      const image = scratch.image();
      await scratch.format(image);
      const at = join(scratch.path, 'a mount');
      mkdirSync(at);
      await run('mount', ['-o', 'loop,ro', image, at]);
      const { stdout } = await run('losetup', ['-n', '-O', 'NAME', '-j', image]);
      try {
        await refused(image, 'in-use', /mounted at .*a mount/, { force: true });
        await refused(stdout.trim(), 'in-use', /mounted at .*a mount/, { force: true });
      } finally {
        await run('umount', [at]);
      }
    });

    it('to convert what is no ext3 or ext4, or has no journal, or errors', async () => {
      const options = { convert: true };
      await refused(scratch.image('empty'), 'not-ext', /ext3 or ext4/, options);
      const plain = scratch.image('plain');
      await run('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-F', plain]);
      await refused(plain, 'no-journal', /journal/, options);
      const broken = scratch.image('broken');
      await run('mke2fs', ['-q', '-t', 'ext4', '-F', broken]);
      await run('debugfs', ['-w', '-R', 'clri <11>', broken]);
      await refused(broken, 'not-clean', /e2fsck -f .*broken/, options);
    });

    it('to convert the cache of another fileset', async () => {
      const image = scratch.image();
      await scratch.format(image, { fileset: 'mine' });
      await refused(image, 'wrong-fileset', /mine/, { convert: true, fileset: 'shared' });
    });
  });

  it('refuses before it makes a file', async () => {
    const small = join(scratch.path, 'small');
    const expected = failsWith('too-small', { exit: EXIT.refused });
    await assert.rejects(scratch.format(small, { size: MIB }), expected);
    assert.ok(!existsSync(small));
    const missing = failsWith('no-target', { exit: EXIT.refused, pattern: /--size/ });
    await assert.rejects(scratch.format(small), missing);
    const wrong = failsWith('not-a-target', { exit: EXIT.refused });
    await assert.rejects(scratch.format(scratch.path), wrong);
    const name = failsWith('fileset-name', { exit: EXIT.usage });
    await assert.rejects(scratch.format(small, { fileset: 'a/b', size: 10 * MIB }), name);
    assert.ok(!existsSync(small));
  });

  it('is not held up by programs that get mounts of their own meanwhile', async () => {
    const begin = 'while :; do unshare --mount sleep 100 & sleep 0.004; done';
    const others = spawn('sh', ['-c', begin], { detached: true, stdio: 'ignore' });
    try {
      for (let count = 0; count < 3; count++) await scratch.format(scratch.image(`fs${count}`));
    } finally {
      process.kill(-others.pid!, 'SIGKILL');
    }
  });

  it('refuses whoever is not root', async () => {
    const image = scratch.image();
    const before = hashOf(image);
    process.seteuid!(65534);
    try {
      await assert.rejects(
        scratch.format(image),
        failsWith('not-root', { exit: EXIT.notPermitted }),
      );
    } finally {
      process.seteuid!(0);
    }
    assert.equal(hashOf(image), before);
  });
});
