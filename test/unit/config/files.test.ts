import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { configFileToWrite, saveConfigFiles } from '../../../src/core/config/index.js';
import { writeFileAtomically, writeFilesAtomically } from '../../../src/core/system/atomic-file.js';
import {
  configDirectory,
  directories,
  runDirectory,
  stateDirectory,
  syncedMarkerPath,
} from '../../../src/core/system/directories.js';
import { temporaryDirectories } from './support.js';

describe('files replaced as a whole', () => {
  const directory = temporaryDirectories();

  it('have the mode asked for, whatever the umask', () => {
    const path = `${directory()}/x`;
    const umask = process.umask(0o077);
    writeFileAtomically({ path, data: 'x', mode: 0o644 });
    process.umask(umask);
    assert.equal(statSync(path).mode & 0o7777, 0o644);
  });

  it('all or none: one that cannot be staged leaves the others as they were', () => {
    const here = directory();
    writeFileSync(`${here}/a`, 'old');
    const files = [
      { path: `${here}/a`, data: 'new', mode: 0o644, backup: true },
      { path: `${here}/nowhere/b`, data: 'new', mode: 0o644 },
    ];
    assert.throws(
      () => {
        writeFilesAtomically(files);
      },
      { code: 'ENOENT' },
    );
    assert.equal(readFileSync(`${here}/a`, 'utf8'), 'old');
    assert.deepEqual(readdirSync(here), ['a']);
  });

  it('all or none: one that cannot be put in place takes the others back', () => {
    const here = directory();
    for (const name of ['a', 'a.bak', 'b']) writeFileSync(`${here}/${name}`, `old ${name}`);
    const wanted = [
      { path: `${here}/a`, data: 'new', mode: 0o644, backup: true },
      { path: `${here}/new`, data: 'new', mode: 0o644 },
      { path: `${here}/b`, data: 'new', mode: 0o644 },
    ];
    // What is mounted on cannot be replaced by a rename.
    execFileSync('mount', ['--bind', `${here}/b`, `${here}/b`]);
    try {
      assert.throws(() => {
        writeFilesAtomically(wanted);
      }, /EBUSY/);
    } finally {
      execFileSync('umount', [`${here}/b`]);
    }
    assert.deepEqual(readdirSync(here).sort(), ['a', 'a.bak', 'b']);
    for (const name of ['a', 'a.bak', 'b']) {
      assert.equal(readFileSync(`${here}/${name}`, 'utf8'), `old ${name}`);
    }
  });

  it('a configuration file that is a link stays one', () => {
    const here = directory();
    writeFileSync(`${here}/real`, 'old');
    symlinkSync('real', `${here}/sysid`);
    saveConfigFiles([configFileToWrite(`${here}/sysid`, 'new')]);
    assert.equal(readFileSync(`${here}/real`, 'utf8'), 'new');
    assert.ok(existsSync(`${here}/real.bak`));
  });
});

describe('directories', () => {
  it('default, variable, override', () => {
    assert.equal(configDirectory(undefined, {}), '/etc/intermezzo');
    assert.equal(runDirectory(undefined, { IZO_RUN_DIR: '/tmp/run/' }), '/tmp/run');
    assert.equal(stateDirectory('/srv/state', { IZO_STATE_DIR: '/tmp' }), '/srv/state');
    assert.equal(configDirectory(undefined, { IZO_CONFIG_DIR: '' }), '/etc/intermezzo');
    assert.deepEqual(directories({ runDir: '/r' }, { IZO_STATE_DIR: '/s' }), {
      configDir: '/etc/intermezzo',
      runDir: '/r',
      stateDir: '/s',
    });
    const marker = syncedMarkerPath('/var/intermezzo', 'iclientA', 'shared');
    assert.equal(marker, '/var/intermezzo/iclientA/shared-synced');
  });
});
