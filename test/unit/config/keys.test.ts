import assert from 'node:assert/strict';
import { chmodSync, chownSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import {
  encodeKey,
  findKey,
  keyDirectory,
  keyPath,
  makeKey,
  readKey,
  writeKey,
  type KeyId,
} from '../../../src/core/config/index.js';
import { errorOf, temporaryDirectories } from './support.js';

describe('keys', () => {
  const directory = temporaryDirectories();
  const key = makeKey();
  let id: KeyId;
  beforeEach(() => {
    id = { configDir: `${directory()}/etc/intermezzo`, client: 'clientA', server: 'muskox' };
  });

  it('are written where both hosts look, closed to others, and read back', () => {
    writeKey(id, key);
    assert.deepEqual(readKey(id), key);
    assert.equal(keyPath(id), `${id.configDir}/keys/clientA@muskox`);
    assert.equal(statSync(keyPath(id)).mode & 0o7777, 0o600);
    assert.equal(statSync(keyDirectory(id.configDir)).mode & 0o7777, 0o700);
    assert.equal(statSync(id.configDir).mode & 0o7777, 0o755);
  });

  it('a missing one says what to run, from either side', () => {
    assert.equal(findKey(id), undefined);
    for (const side of ['client', 'server'] as const) {
      const { code, message, remedy } = errorOf(() => readKey({ ...id, side }));
      assert.equal(code, 'no-key');
      assert.match(message, /izo invite clientA/);
      assert.match(message, /izo join TOKEN/);
      assert.match(remedy ?? '', /--trusted-network/);
    }
  });

  for (const mode of [0o640, 0o604, 0o644, 0o620, 0o601]) {
    it(`mode ${mode.toString(8)} is refused`, () => {
      writeKey(id, key);
      chmodSync(keyPath(id), mode);
      const { code, remedy } = errorOf(() => readKey(id));
      assert.deepEqual([code, remedy], ['key-mode', `chmod 600 ${keyPath(id)}`]);
    });
  }

  it('a symbolic link is refused, even to a good key', () => {
    writeKey(id, key);
    renameSync(keyPath(id), `${keyPath(id)}.real`);
    symlinkSync(`${keyPath(id)}.real`, keyPath(id));
    assert.equal(errorOf(() => readKey(id)).code, 'key-mode');
  });

  it('a key of another user is refused', function () {
    if (process.geteuid?.() !== 0) this.skip();
    writeKey(id, key);
    chownSync(keyPath(id), 1234, 0);
    assert.equal(errorOf(() => readKey(id)).code, 'key-mode');
  });

  it('a directory that others can change is refused', () => {
    writeKey(id, key);
    chmodSync(keyDirectory(id.configDir), 0o777);
    const { code, remedy } = errorOf(() => readKey(id));
    assert.equal(code, 'key-mode');
    assert.match(remedy ?? '', /chmod 700/);
  });

  const bad: [string, string][] = [
    ['empty', ''],
    ['short', key.subarray(1).toString('base64')],
    ['long', Buffer.concat([key, key]).toString('base64')],
    ['hex', key.toString('hex')],
    ['endless', 'A'.repeat(100_000)],
    ['with garbage', `${encodeKey(key)}!`],
  ];
  for (const [what, text] of bad) {
    it(`a file that is ${what} is refused, and not shown`, () => {
      writeKey(id, key);
      writeFileSync(keyPath(id), text);
      const error = errorOf(() => readKey(id));
      assert.equal(error.code, 'bad-key');
      assert.ok(text === '' || !inspect(error).includes(text.slice(0, 20)));
    });
  }
});
