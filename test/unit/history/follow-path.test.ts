import assert from 'node:assert/strict';
import { parseMoment } from '../../../src/core/history/filter.js';
import { PathHistory } from '../../../src/core/history/follow-path.js';
import { NO_OBJECT, NO_STAMP } from '../../../src/core/model/ids.js';
import { Opcode, type JournalRecord, type RecordBody } from '../../../src/core/model/records.js';

/** `create 3 a/b`: object 3 at a/b; `rename 3 a b 7`: over object 7. */
function record(line: string, index: number): JournalRecord {
  const [word = '', number = '', path = '', newPath = '', replaced] = line.split(' ');
  const common = { mode: 0o644, uid: 0, gid: 0, path };
  const time = { sec: 0, nsec: 0 };
  const bodies: Record<string, RecordBody> = {
    create: { op: Opcode.CREATE, ...common },
    mkdir: { op: Opcode.MKDIR, ...common },
    unlink: { op: Opcode.UNLINK, path },
    link: { op: Opcode.LINK, path, newPath },
    setattr: { op: Opcode.SETATTR, ...common, valid: 1, atime: time, mtime: time },
    rename: {
      ...{ op: Opcode.RENAME, path, newPath },
      flags: word === 'exchange' ? 2 : 0,
      replaced: replaced === undefined ? NO_OBJECT : { replica: 5, number: Number(replaced) },
      replacedStamp: NO_STAMP,
    },
  };
  const body = bodies[word];
  assert.ok(body !== undefined, line);
  const head = {
    ...{ recno: index + 1, origin: 5, originRecno: index + 1, time, before: NO_STAMP },
    actor: { uid: 0, gid: 0, pid: 1, groups: [] },
    object: { replica: 5, number: Number(number) },
  };
  return { head, body };
}

/** Lines of `log`, the oldest first, that belong to the history of `path`. */
function history(path: string, log: readonly string[]): string[] {
  const records = log.map(record);
  const of = new PathHistory(path);
  return records
    .reverse()
    .filter((each) => of.back(each))
    .map(({ head }) => log[head.recno - 1] ?? '')
    .reverse();
}

describe('the history of a path', () => {
  const cases: Record<string, { path: string; log: string[]; not: string[] }> = {
    'follows renames of the object': {
      path: 'b',
      log: ['create 1 a', 'create 2 x', 'setattr 1 a', 'rename 1 a b', 'setattr 1 b', 'create 3 a'],
      not: ['create 2 x', 'create 3 a'],
    },
    'follows renames of a directory above': {
      path: 'e/f',
      log: ['mkdir 1 d', 'create 2 d/f', 'create 3 d/g', 'rename 1 d e', 'setattr 3 e/g'],
      not: ['mkdir 1 d', 'create 3 d/g', 'setattr 3 e/g'],
    },
    'has what was replaced, and not what else had the name of a temporary file': {
      path: 'p',
      log: ['create 9 tmp', 'unlink 9 tmp', 'create 1 p', 'create 2 tmp', 'rename 2 tmp p 1'],
      not: ['create 9 tmp', 'unlink 9 tmp'],
    },
    'has what was removed, and made again': {
      path: 'p',
      log: ['create 1 p', 'unlink 1 p', 'create 2 p', 'create 3 pp'],
      not: ['create 3 pp'],
    },
    'has other names of the object, and what is below': {
      path: 'd',
      log: ['mkdir 1 d', 'create 2 d/a', 'link 2 d/a x', 'create 3 dd'],
      not: ['create 3 dd'],
    },
    'has what was done under a name that it lost': {
      path: 'old',
      log: ['create 1 old', 'rename 1 old new', 'create 2 other'],
      not: ['create 2 other'],
    },
    'of the root is everything': { path: '', log: ['mkdir 1 d', 'create 2 d/a'], not: [] },
  };
  for (const [what, { path, log, not }] of Object.entries(cases)) {
    it(what, () => {
      const expected = log.filter((line) => !not.includes(line));
      assert.deepEqual(history(path, log), expected);
    });
  }

  it('goes on with names that are given from now on', () => {
    const of = new PathHistory('p');
    const log = ['create 1 p', 'rename 1 p q', 'setattr 1 q', 'create 2 r'];
    assert.deepEqual(
      log.filter((line, index) => of.forward(record(line, index))),
      log.slice(0, 3),
    );
  });

  it('takes times ago, days and moments, and nothing else', () => {
    const now = new Date('2026-03-01T12:00:00Z');
    assert.equal(parseMoment('90m', now)?.toISOString(), '2026-03-01T10:30:00.000Z');
    assert.equal(parseMoment('2d', now)?.toISOString(), '2026-02-27T12:00:00.000Z');
    assert.equal(
      parseMoment('2026-02-03T04:05:06Z', now)?.toISOString(),
      '2026-02-03T04:05:06.000Z',
    );
    assert.equal(parseMoment('2026-02-03', now)?.getHours(), 0);
    for (const text of ['', 'yesterday', '5', '5y', '2026-13-01']) {
      assert.equal(parseMoment(text, now), undefined, text);
    }
  });
});
