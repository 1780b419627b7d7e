import assert from 'node:assert/strict';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  acknowledgedByAll,
  backlogKept,
  givenUp,
  historyKept,
} from '../../../src/core/replication/log-keeping.js';

const M = 2 ** 20;
const cache = { totalBytes: 1600 * M, freeBytes: 800 * M };

describe('how much of a log is kept', () => {
  it('what the slowest of the replicators has, and nothing that one lacks which was never seen', () => {
    const next = new Map([
      ['a', 10],
      ['b', 7],
      ['gone', 2],
    ]);
    assert.equal(acknowledgedByAll(['a', 'b'], next, 20), 6);
    assert.equal(acknowledgedByAll(['a'], next, 20), 9);
    assert.equal(acknowledgedByAll(['a', 'b', 'c'], next, 20), 0);
    assert.equal(acknowledgedByAll([], next, 20), 20);
    assert.equal(acknowledgedByAll(['a'], next, 5), 5);
  });

  it('who lacks what is not there any more is given up; who is not known is not judged', () => {
    const next = new Map([
      ['a', 10],
      ['b', 7],
      ['gone', 2],
    ]);
    assert.deepEqual(givenUp(['a', 'b', 'c'], next, 7), []);
    assert.deepEqual(givenUp(['a', 'b', 'c'], next, 8), ['b']);
    assert.deepEqual(givenUp(['a', 'b', 'c'], next, 11), ['a', 'b']);
  });

  it('a history, unless the cache is short of room', () => {
    assert.equal(historyKept({}, cache), 64 * M);
    assert.equal(historyKept({ history: 5 * M }, cache), 5 * M);
    assert.equal(historyKept({ history: 5 }, cache), LIMITS.logLeastBytes);
    assert.equal(historyKept({ history: 5 * M }, { ...cache, freeBytes: 100 * M }), 5 * M);
    assert.equal(historyKept({ history: 5 * M }, { ...cache, freeBytes: 99 * M }), M);
  });

  it('a backlog of a quarter of the cache where nobody says otherwise', () => {
    assert.equal(backlogKept({}, cache), 400 * M);
    assert.equal(backlogKept({ backlog: 7 * M }, cache), 7 * M);
    assert.equal(backlogKept({}, { totalBytes: 2 * M, freeBytes: M }), LIMITS.logLeastBytes);
  });
});
