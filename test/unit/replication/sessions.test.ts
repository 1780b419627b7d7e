import assert from 'node:assert/strict';
import { Sessions } from '../../../src/core/replication/sessions.js';

describe('sessions', () => {
  it('takes a hello with a larger number than the last one', () => {
    const sessions = new Sessions();
    assert.equal(sessions.begin('A', 5), undefined);
    assert.equal(sessions.laterThan('A', 5), undefined);
    assert.equal(sessions.begin('A', 9), undefined);
    assert.equal(sessions.laterThan('A', 5), 9);
  });

  it('refuses one that was overtaken, or came twice, and tells the last one', () => {
    const sessions = new Sessions();
    sessions.begin('A', 9);
    assert.equal(sessions.begin('A', 8), 9);
    assert.equal(sessions.begin('A', 9), 9);
    assert.equal(sessions.laterThan('A', 9), undefined);
  });

  it('keeps the hosts apart', () => {
    const sessions = new Sessions();
    sessions.begin('A', 9);
    assert.equal(sessions.begin('B', 1), undefined);
  });
});
