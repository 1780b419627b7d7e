import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { AT_FDCWD, renameat2 } from '../../src/core/system/files.js';
import { errnoName } from '../../src/core/system/errno.js';
import { fails, node, shOk } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';

const { O_CREAT, O_EXCL, O_RDWR, O_WRONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

function rename2(from: string, to: string, flags: number): string {
  const result = renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
  return result === 0 ? 'ok' : errnoName(result);
}

function makingAndRemoving({ at, bytes, needs }: Place): void {
  it('O_EXCL makes a file once', () => {
    closeSync(openSync(at('f'), O_CREAT | O_EXCL | O_WRONLY, 0o600));
    fails('EEXIST', () => openSync(at('f'), O_CREAT | O_EXCL | O_WRONLY));
  });

  it('O_EXCL does not follow a dangling link', () => {
    symlinkSync('nowhere', at('l'));
    fails('EEXIST', () => openSync(at('l'), O_CREAT | O_EXCL | O_WRONLY));
    closeSync(openSync(at('l'), O_CREAT | O_WRONLY));
    assert.ok(existsSync(at('nowhere')));
  });

  it('open of a directory for writing, and of a file as a directory', () => {
    writeFileSync(at('f'), '');
    fails('EISDIR', () => openSync(at(), O_RDWR));
    fails('ENOTDIR', () => openSync(at('f'), O_DIRECTORY));
    fails('ENOTDIR', () => openSync(at('f', 'x'), O_CREAT | O_WRONLY));
  });

  it('mkdir and rmdir fail as they should', () => {
    mkdirSync(at('d'));
    writeFileSync(at('f'), '');
    writeFileSync(at('d', 'inner'), '');
    symlinkSync('d', at('l'));
    fails('EEXIST', () => mkdirSync(at('d')));
    fails('EEXIST', () => mkdirSync(at('f')));
    fails('EEXIST', () => mkdirSync(at('l')));
    fails('ENOENT', () => mkdirSync(at('none', 'd')));
    fails('ENOTDIR', () => mkdirSync(at('f', 'd')));
    fails('ENOTEMPTY', () => rmdirSync(at('d')));
    fails('ENOTDIR', () => rmdirSync(at('f')));
    fails('ENOTDIR', () => rmdirSync(at('l')));
    fails('ENOENT', () => rmdirSync(at('none')));
    fails('EINVAL', () => {
      rmdirSync(`${at('d')}/.`);
    });
  });

  it('unlink fails as it should', () => {
    mkdirSync(at('d'));
    fails('EISDIR', () => unlinkSync(at('d')));
    fails('ENOENT', () => unlinkSync(at('none')));
  });

  it('links that go round', () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    fails('ELOOP', () => readFileSync(at('a')));
    fails('ELOOP', () => mkdirSync(at('a', 'd')));
    fails('ELOOP', () => openSync(at('a'), O_NOFOLLOW));
  });

  it('names of 255 bytes, and not of 256', () => {
    const name = 'n'.repeat(255);
    writeFileSync(at(name), 'x');
    mkdirSync(at('d'));
    renameSync(at(name), at('d', name));
    linkSync(at('d', name), at(name));
    assert.deepEqual(readdirSync(at('d')), [name]);
    fails('ENAMETOOLONG', () => {
      writeFileSync(at(`${name}n`), '');
    });
    fails('ENAMETOOLONG', () => {
      mkdirSync(at(`${name}n`));
    });
    fails('ENAMETOOLONG', () => {
      renameSync(at(name), at(`${name}n`));
    });
    fails('ENAMETOOLONG', () => statSync(at(`${name}n`)));
  });

  needs('anyBytes', 'names of any bytes but slash and NUL', () => {
    const all = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter((b) => b !== 0x2f));
    const names = [all, Buffer.from([0xff]), Buffer.from('\n \\*"'), Buffer.from('ä', 'latin1')];
    for (const name of names) writeFileSync(bytes(name), name);
    const found = readdirSync(at(), { encoding: 'buffer' }).map((name) => name.toString('hex'));
    assert.deepEqual(found.sort(), names.map((name) => name.toString('hex')).sort());
    for (const name of names) assert.deepEqual(readFileSync(bytes(name)), name);
  });

  it('a path of 3000 bytes is reached step by step', async () => {
    const name = 'p'.repeat(200);
    const deep = await node(
      `process.chdir(process.argv[1]);
       const fs = await import('node:fs');
       let depth = 0;
       for (; depth < 15; depth++) { fs.mkdirSync('${name}'); process.chdir('${name}'); }
       fs.writeFileSync('f', 'deep');
       console.log(fs.readFileSync('f', 'utf8'), process.cwd().length);`,
      [at()],
    );
    assert.match(deep, /^deep 30\d\d/);
  });

  it('a tree grows deeper than one path can say', async () => {
    const path = Array.from({ length: 19 }, () => 'd'.repeat(200)).join('/');
    const deep = await node(
      `const fs = await import('node:fs');
       process.chdir(process.argv[1]);
       for (let i = 0; i < 3; i++) {
         fs.mkdirSync('${path}', { recursive: true });
         process.chdir('${path}');
       }
       fs.writeFileSync('f', 'deep');
       fs.renameSync('f', 'g');
       fs.chmodSync('g', 0o640);
       fs.linkSync('g', 'h');
       console.log(fs.readFileSync('h', 'utf8'), fs.readdirSync('.').join());`,
      [at()],
    );
    assert.equal(deep.trim(), 'deep g,h');
    shOk('rm -r "$1"', [at('d'.repeat(200))]);
    assert.deepEqual(readdirSync(at()), []);
  });
}

function renaming({ at, needs }: Place): void {
  needs('nameless', 'replaces a file, and keeps the replaced one for who has it open', () => {
    writeFileSync(at('a'), 'new');
    writeFileSync(at('b'), 'old');
    const fd = openSync(at('b'), O_RDWR);
    renameSync(at('a'), at('b'));
    assert.equal(readFileSync(at('b'), 'utf8'), 'new');
    assert.equal(readFileSync(fd, 'utf8'), 'old');
    assert.equal(fstatSync(fd).nlink, 0);
    closeSync(fd);
    assert.deepEqual(readdirSync(at()), ['b']);
  });

  it('replaces an empty directory, and no other', () => {
    for (const d of ['a', 'b', 'full']) mkdirSync(at(d));
    writeFileSync(at('a', 'inner'), 'x');
    writeFileSync(at('full', 'inner'), 'y');
    fails('ENOTEMPTY', () => {
      renameSync(at('a'), at('full'));
    });
    renameSync(at('a'), at('b'));
    assert.equal(readFileSync(at('b', 'inner'), 'utf8'), 'x');
    assert.ok(!existsSync(at('a')));
  });

  it('does not mix files and directories', () => {
    mkdirSync(at('d'));
    writeFileSync(at('f'), '');
    fails('EISDIR', () => {
      renameSync(at('f'), at('d'));
    });
    fails('ENOTDIR', () => {
      renameSync(at('d'), at('f'));
    });
    fails('ENOENT', () => {
      renameSync(at('none'), at('f'));
    });
    fails('ENOENT', () => {
      renameSync(at('f'), at('none', 'f'));
    });
  });

  it('refuses to put a directory into itself', () => {
    mkdirSync(at('d', 'e', 'f'), { recursive: true });
    fails('EINVAL', () => {
      renameSync(at('d'), at('d', 'd'));
    });
    fails('EINVAL', () => {
      renameSync(at('d'), at('d', 'e', 'f', 'd'));
    });
    fails('ENOTEMPTY', () => {
      renameSync(at('d', 'e', 'f'), at('d'));
    });
  });

  it('of two names of one file does nothing', () => {
    writeFileSync(at('a'), 'x');
    linkSync(at('a'), at('b'));
    renameSync(at('a'), at('b'));
    assert.deepEqual(readdirSync(at()).sort(), ['a', 'b']);
    renameSync(at('a'), at('a'));
    assert.equal(statSync(at('a')).nlink, 2);
  });

  it('moves what is below a directory with it, open files too', () => {
    mkdirSync(at('d', 'e'), { recursive: true });
    const fd = openSync(at('d', 'e', 'f'), 'w+');
    writeSync(fd, 'one ');
    renameSync(at('d'), at('moved'));
    writeSync(fd, 'two');
    closeSync(fd);
    assert.equal(readFileSync(at('moved', 'e', 'f'), 'utf8'), 'one two');
    fails('ENOENT', () => statSync(at('d', 'e', 'f')));
  });

  needs('renameFlags', 'with RENAME_NOREPLACE and RENAME_EXCHANGE', () => {
    writeFileSync(at('f'), 'file');
    mkdirSync(at('d'));
    writeFileSync(at('d', 'inner'), 'inner');
    assert.equal(rename2(at('f'), at('d'), RENAME_NOREPLACE), 'EEXIST');
    assert.equal(rename2(at('f'), at('g'), RENAME_NOREPLACE), 'ok');
    assert.equal(rename2(at('g'), at('d'), RENAME_EXCHANGE), 'ok');
    assert.equal(readFileSync(at('d'), 'utf8'), 'file');
    assert.equal(readFileSync(at('g', 'inner'), 'utf8'), 'inner');
    assert.equal(rename2(at('d'), at('none'), RENAME_EXCHANGE), 'ENOENT');
    assert.equal(rename2(at('g'), at('g', 'x'), RENAME_EXCHANGE), 'ENOENT');
  });

  it('as mv does it: into a directory, over a file, to another file system', () => {
    writeFileSync(at('f'), 'contents');
    mkdirSync(at('d'));
    shOk('mv "$1" "$2"', [at('f'), at('d')]);
    writeFileSync(at('over'), 'old');
    shOk('mv -f "$1" "$2"', [at('d', 'f'), at('over')]);
    assert.equal(readFileSync(at('over'), 'utf8'), 'contents');
    shOk('t=$(mktemp -d) && mv "$1" "$t" && mv "$t/over" "$2" && rmdir "$t"', [
      at('over'),
      at('back'),
    ]);
    assert.equal(readFileSync(at('back'), 'utf8'), 'contents');
  });
}

function links({ at }: Place): void {
  it('count the names of a file', () => {
    writeFileSync(at('a'), 'x');
    mkdirSync(at('d'));
    for (let i = 1; i <= 20; i++) {
      linkSync(at('a'), at('d', `${i}`));
      assert.equal(statSync(at('a')).nlink, i + 1);
    }
    unlinkSync(at('a'));
    assert.equal(statSync(at('d', '7')).nlink, 20);
    writeFileSync(at('d', '8'), 'through one');
    assert.equal(readFileSync(at('d', '20'), 'utf8'), 'through one');
    assert.equal(statSync(at('d', '1')).ino, statSync(at('d', '2')).ino);
  });

  it('fail as they should', () => {
    writeFileSync(at('a'), '');
    mkdirSync(at('d'));
    fails('EPERM', () => {
      linkSync(at('d'), at('e'));
    });
    fails('EEXIST', () => {
      linkSync(at('a'), at('d'));
    });
    fails('ENOENT', () => {
      linkSync(at('none'), at('e'));
    });
  });

  it('of symbolic links are names of the link', () => {
    symlinkSync('target', at('s'));
    linkSync(at('s'), at('t'));
    assert.equal(readlinkSync(at('t')), 'target');
    assert.equal(lstatSync(at('s')).nlink, 2);
  });

  it('symbolic: from one byte to 4095', () => {
    for (const length of [1, 59, 60, 61, 255, 1000, 4094, 4095]) {
      const target = 't'.repeat(length);
      symlinkSync(target, at(`${length}`));
      assert.equal(readlinkSync(at(`${length}`)), target);
      assert.equal(lstatSync(at(`${length}`)).size, length);
      assert.equal(lstatSync(at(`${length}`)).mode & 0o7777, 0o777);
    }
    fails('ENAMETOOLONG', () => {
      symlinkSync('t'.repeat(4096), at('x'));
    });
    fails('ENOENT', () => {
      symlinkSync('', at('x'));
    });
    fails('EEXIST', () => {
      symlinkSync('t', at('1'));
    });
    fails('EINVAL', () => readlinkSync(at()));
  });

  it('symbolic: are followed inside, outside and upwards', () => {
    mkdirSync(at('d'));
    writeFileSync(at('f'), 'here');
    symlinkSync('../f', at('d', 'up'));
    symlinkSync('/etc/passwd', at('out'));
    assert.equal(readFileSync(at('d', 'up'), 'utf8'), 'here');
    assert.equal(readFileSync(at('out'), 'utf8'), readFileSync('/etc/passwd', 'utf8'));
  });
}

function unlinkedFiles({ at, needs }: Place): void {
  needs('nameless', 'can be read, written and looked at for as long as they are open', () => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'before');
    unlinkSync(at('f'));
    writeSync(fd, ' after');
    const found = Buffer.alloc(32);
    assert.equal(readSync(fd, found, 0, 32, 0), 12);
    assert.equal(found.toString('latin1', 0, 12), 'before after');
    assert.deepEqual([fstatSync(fd).nlink, fstatSync(fd).size], [0, 12]);
    writeFileSync(at('f'), 'another');
    closeSync(fd);
    assert.equal(readFileSync(at('f'), 'utf8'), 'another');
  });

  needs('nameless', 'a removed working directory is empty and takes no names', async () => {
    mkdirSync(at('d'));
    const said = await node(
      `process.chdir(process.argv[1]);
       const fs = await import('node:fs');
       fs.rmdirSync(process.argv[1]);
       const fails = (act) => { try { act(); return 'ok'; } catch (e) { return e.code; } };
       console.log(fs.readdirSync('.').length, fails(() => fs.writeFileSync('f', '')),
         fails(() => fs.mkdirSync('d')));`,
      [at('d')],
    );
    assert.equal(said, '0 ENOENT ENOENT\n');
  });
}

describeTrees('names', (place) => {
  describe('making and removing', () => {
    makingAndRemoving(place);
  });
  describe('rename', () => {
    renaming(place);
  });
  describe('links', () => {
    links(place);
  });
  describe('unlinked files', () => {
    unlinkedFiles(place);
  });
  it('nlink of a directory counts the directories in it', () => {
    const { at } = place;
    const count = (): number => statSync(at()).nlink;
    assert.equal(count(), 2);
    mkdirSync(at('a'));
    mkdirSync(at('b'));
    writeFileSync(at('f'), '');
    assert.equal(count(), 4);
    renameSync(at('a'), at('b', 'a'));
    assert.equal(count(), 3);
    assert.equal(statSync(at('b')).nlink, 3);
    rmdirSync(at('b', 'a'));
    rmdirSync(at('b'));
    assert.equal(count(), 2);
  });
});
