import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  opendirSync,
  readdirSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeFileSync,
  writeSync,
  type Dir,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { run } from '../../src/core/system/processes.js';
import { sh } from '../support/calls.js';
import { prestoStatus } from '../support/presto-status.js';
import { MountedHost } from '../support/mounted-host.js';

/** Descriptors that presto may have. */
const LIMIT = 256;
const DIRECTORIES = 300;
const FILES_EACH = 50;
/** More names than readdir(3) gets at once. */
const CROWD = 5_000;
/** Directories in one another. */
const DEPTH = 500;
const OPEN = 1_000;
const PROCESSES = 64;

const DEEP = Array.from({ length: DEPTH }, () => 'x').join('/');

function makeTree(root: string): void {
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    const path = join(root, `d${directory}`);
    mkdirSync(path);
    for (let file = 0; file < FILES_EACH; file++) {
      writeFileSync(join(path, `f${file}`), `${directory}/${file}`);
    }
  }
  mkdirSync(join(root, 'crowd'));
  for (let file = 0; file < CROWD; file++) writeFileSync(join(root, 'crowd', `name-${file}`), '');
  mkdirSync(join(root, DEEP), { recursive: true });
}

/** What one of many processes does in a directory of its own and in one of all, with `$1` its number. */
const WORK = `
  set -e; mkdir own$1; cd own$1
  for i in 1 2 3 4; do echo "$1 $i" > a$i; mv a$i b$i; ln b$i c$i; done
  echo "$1" >> ../all; rm b1; cat b2 b3 b4 c1 > sum; test "$(wc -l < sum)" = 4
`;

describe('a large tree and a presto with few descriptors', function () {
  this.timeout(60_000);
  let host: MountedHost;

  before(async () => {
    host = await MountedHost.make('128M');
    const lower = join(host.root, 'lower');
    mkdirSync(lower);
    await run('mount', ['-o', 'loop', host.image, lower]);
    try {
      makeTree(lower);
    } finally {
      await run('umount', [lower]);
    }
    await host.mountWithin(LIMIT);
  });

  after(async () => {
    try {
      await host.unmountAndCheck();
    } finally {
      await host.remove();
    }
  });

  const at = (...names: string[]): string => join(host.mountPoint, ...names);
  const file = (number: number): string =>
    at(`d${number % DIRECTORIES}`, `f${Math.floor(number / DIRECTORIES)}`);
  const contents = (number: number): string =>
    `${number % DIRECTORIES}/${Math.floor(number / DIRECTORIES)}`;

  function read(fd: number): string {
    const buffer = Buffer.alloc(64);
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
  }

  it('is walked, and nothing kept of what the kernel has forgotten', async () => {
    const { stdout } = await run('find', [host.mountPoint, '-printf', '%y\n'], {
      timeoutMs: 50_000,
    });
    const kinds = stdout.split('\n');
    const count = (kind: string): number => kinds.filter((one) => one === kind).length;
    assert.equal(count('f'), DIRECTORIES * FILES_EACH + CROWD);
    assert.equal(count('d'), DIRECTORIES + DEPTH + 2);
    const { pid } = host.state;
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    assert.match(limits, new RegExp(`Max open files +${LIMIT} +${LIMIT} `));
    assert.ok(readdirSync(`/proc/${pid}/fd`).length < LIMIT);
    const nodes = async (): Promise<number> =>
      (await prestoStatus(host.host.runDir, host.state)).nodes;
    assert.ok((await nodes()) > DIRECTORIES * FILES_EACH);
    // The kernel forgets level by level, from the leaves up.
    for (let tries = 0; tries < 20 && (await nodes()) > DIRECTORIES; tries++) {
      writeFileSync('/proc/sys/vm/drop_caches', '2');
    }
    assert.ok((await nodes()) <= DIRECTORIES);
  });

  it('has more files open at once than descriptors, and each goes on being what it was', () => {
    const fds = Array.from({ length: OPEN }, (_, number) =>
      openSync(file(number), number % 3 === 0 ? 'r+' : 'r'),
    );
    const nameless: number[] = [];
    for (const [number, fd] of fds.entries()) {
      if (number % 3 === 0) writeSync(fd, `new ${number}`, 0);
      if (number % 10 !== 0 || nameless.length >= 50) continue;
      unlinkSync(file(number));
      nameless.push(number);
    }
    for (const [number, fd] of fds.entries()) {
      const old = contents(number);
      const written = number % 3 === 0 ? `new ${number}` : '';
      assert.equal(read(fd), written + old.slice(written.length), `file ${number}`);
      closeSync(fd);
    }
    assert.equal(readFileSync(file(3), 'latin1'), 'new 3');
    for (const number of nameless) assert.ok(!readdirSync(join(file(number), '..')).includes('f0'));
  });

  it('goes on reading a directory where it was, whatever was opened meanwhile', () => {
    const directories: Dir[] = [];
    const names: Set<string>[] = [];
    const more = (count: number): void => {
      for (const [index, directory] of directories.entries()) {
        for (let read = 0; read < count; read++) {
          const entry = directory.readSync();
          if (entry === null) break;
          assert.ok(!names[index]?.has(entry.name), `${entry.name} came twice`);
          names[index]?.add(entry.name);
        }
      }
    };
    for (let count = 0; count < 5; count++) {
      directories.push(opendirSync(at('crowd')));
      names.push(new Set());
    }
    for (const amount of [100, 3_000, CROWD]) {
      more(amount);
      const fds = Array.from({ length: OPEN / 2 }, (_, number) =>
        openSync(file(number + OPEN), 'r'),
      );
      for (const fd of fds) closeSync(fd);
    }
    for (const [index, directory] of directories.entries()) {
      assert.equal(names[index]?.size, CROWD);
      directory.closeSync();
    }
  });

  it('is changed deep down', () => {
    const script = 'cd "$1" && echo low > file && mv file ../moved && cat ../moved && rmdir ../x';
    const { stdout, status } = sh(script, [at(DEEP)]);
    assert.deepEqual([stdout, status], ['low\n', 0]);
  });

  it('serves many processes', async () => {
    const results = await Promise.all(
      Array.from({ length: PROCESSES }, (_, number) =>
        execa('sh', ['-c', WORK, 'sh', String(number)], { cwd: host.mountPoint, timeout: 50_000 }),
      ),
    );
    assert.ok(results.every(({ exitCode }) => exitCode === 0));
    const all = readFileSync(at('all'), 'latin1').trim().split('\n').map(Number);
    assert.deepEqual(
      all.sort((a, b) => a - b),
      Array.from({ length: PROCESSES }, (_, n) => n),
    );
  });
});
