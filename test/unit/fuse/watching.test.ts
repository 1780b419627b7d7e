import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { openNative } from '../../../src/core/fuse/native/binding.js';
import { PARK } from '../../../src/core/fuse/port.js';
import type { RequestWatcher, SeenRequest } from '../../../src/core/fuse/watcher.js';
import { errnoName } from '../../../src/core/system/errno.js';
import { until, withMount } from '../../support/fuse/mounted-tree.js';

interface Ended {
  readonly id: number;
  readonly what: string;
  readonly result: string;
  readonly bytes: number;
  readonly uid: number;
  readonly thread: number;
  readonly since: number;
}

/** Notes what a watcher is shown, a line each: the operation, the names, and the result. */
class Notes implements RequestWatcher {
  readonly ended: Ended[] = [];
  readonly droppedIds: number[] = [];
  #begun: Omit<Ended, 'result' | 'bytes'> | undefined;

  begin(seen: SeenRequest): void {
    assert.equal(this.#begun, undefined, 'one request at a time');
    const { id, operation, uid, thread, since } = seen;
    const names = [seen.path ?? seen.name, seen.toPath ?? seen.toName];
    const what = [operation, ...names.filter((name) => name !== undefined)].join(' ');
    this.#begun = { id, what, uid, thread, since };
  }

  end(result: number, bytes: number): void {
    assert.ok(this.#begun);
    const word = result === PARK ? 'waits' : result === 0 ? 'ok' : errnoName(result);
    this.ended.push({ ...this.#begun, result: word, bytes });
    this.#begun = undefined;
  }

  dropped(id: number): void {
    this.droppedIds.push(id);
  }

  get lines(): string[] {
    return this.ended.map(({ what, result }) => `${what}: ${result}`);
  }

  find(what: string): Ended | undefined {
    return this.ended.find((each) => each.what === what);
  }
}

describe('who watches a mount', () => {
  it('sees each request once, with names, result and bytes, until he has seen enough', () =>
    withMount(async ({ sh, binding }) => {
      const notes = new Notes();
      binding.watch(notes);
      await sh('mkdir $M/d; printf hello >$M/d/f; mv $M/d/f $M/g; ln $M/g $M/h; rm $M/g');
      await sh('rmdir $M/g 2>/dev/null || true; rmdir $M/h 2>/dev/null || true; ln -s x $M/l');
      for (const line of ['lookup d: ENOENT', 'mkdir d: ok', 'create f: ok', 'rename f g: ok'])
        assert.ok(notes.lines.includes(line), `${line} in ${notes.lines.join('; ')}`);
      for (const line of ['link h: ok', 'unlink g: ok', 'symlink l: ok', 'write: ok'])
        assert.ok(notes.lines.includes(line), `${line} in ${notes.lines.join('; ')}`);
      assert.equal(notes.find('write')?.bytes, 5);
      assert.ok((notes.find('mkdir d')?.thread ?? 0) > 1);
      assert.ok(!notes.lines.some((line) => line.includes('forget')));
      const ids = notes.ended.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      binding.watch(undefined);
      await sh('mkdir $M/e');
      assert.equal(notes.ended.length, ids.length);
    }));

  it('sees what waits already when he comes, and what becomes of it', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      // The kernel keeps a directory locked for one that waits.
      await sh('mkdir $M/a $M/b');
      tree.parking.add('mkdir');
      const begun = performance.now();
      const [first, second] = ['a/one', 'b/two'].map((name) => start(`exec mkdir $M/${name}`));
      await until('both are parked', () => binding.parked === 2);
      const notes = new Notes();
      binding.watch(notes);
      assert.equal(binding.parked, 2);
      assert.deepEqual(notes.lines.sort(), ['mkdir one: waits', 'mkdir two: waits']);
      assert.ok(notes.ended.every(({ since }) => since > begun && since <= performance.now()));
      second?.kill('SIGKILL');
      await until('the killed one is given up', () => binding.parked === 1);
      assert.deepEqual(notes.droppedIds, [notes.find('mkdir two')?.id]);
      tree.parking.clear();
      binding.resumeParked();
      await first;
      const of = notes.ended.filter(({ what, id }) => what === 'mkdir one' && id > 0);
      assert.deepEqual(
        of.map(({ result }) => result),
        ['waits', 'ok'],
      );
      assert.equal(of[0]?.id, of[1]?.id);
      assert.equal(of[0]?.since, of[1]?.since);
    }));
});

const describeNative = process.arch === 'x64' && existsSync('/dev/fuse') ? describe : undefined;

describeNative?.('who watches a mount of the native binding', () => {
  it('sees requests by their paths, also one that has to wait', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      const notes = new Notes();
      binding.watch(notes);
      await sh('mkdir $M/d; mv $M/d $M/e');
      tree.parking.add('mkdir');
      const waiting = start('mkdir $M/e/f');
      await until('the mkdir is parked', () => binding.parked === 1);
      tree.parking.clear();
      binding.resumeParked();
      await waiting;
      for (const line of ['mkdir d: ok', 'rename d e: ok', 'mkdir e/f: waits', 'mkdir e/f: ok'])
        assert.ok(notes.lines.includes(line), `${line} in ${notes.lines.join('; ')}`);
      const ids = notes.ended.filter(({ what }) => what === 'mkdir e/f').map(({ id }) => id);
      assert.equal(new Set(ids).size, 1);
    }, openNative));
});
