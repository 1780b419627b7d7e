import assert from 'node:assert/strict';
import { amount, Progress } from '../../../src/core/cli/terminal/progress.js';

describe('Progress', () => {
  let written: string;
  let now: number;

  beforeEach(() => {
    written = '';
    now = 0;
  });

  function progress({
    isTTY = true,
    columns = 80,
    json = false,
    lineMs = Infinity,
  } = {}): Progress {
    const stream = { isTTY, columns, write: (text: string) => (written += text) };
    return new Progress({ stream, json, lineMs, now: () => now });
  }

  it('rewrites one line in place', () => {
    const line = progress();
    line.update('one');
    now = 100;
    line.update('two');
    line.clear();
    assert.equal(written, '\r\u001b[Kone\r\u001b[Ktwo\r\u001b[K');
  });

  it('shows at most ten texts a second', () => {
    const line = progress();
    for (now = 0; now < 1000; now += 1) line.update(String(now));
    assert.equal(written.split('\r').length - 1, 10);
  });

  it('cuts what would wrap, for a wrapped line cannot be cleared', () => {
    progress({ columns: 20 }).update('x'.repeat(100));
    assert.equal(written, `\r\u001b[K${'x'.repeat(19)}`);
  });

  it('writes lines without a terminal where that is wanted, none for what is done soon', () => {
    const line = progress({ isTTY: false, lineMs: 10_000 });
    for (now = 0; now < 25_000; now += 500) line.update(`${now} ms`);
    line.clear();
    assert.equal(written, '10000 ms\n20000 ms\n');
    written = '';
    const json = progress({ isTTY: false, lineMs: 10_000, json: true });
    now += 60_000;
    json.update('x');
    assert.equal(written, '');
  });

  it('is silent without a terminal and with --json', () => {
    for (const line of [progress({ isTTY: false }), progress({ json: true })]) {
      line.update('one');
      line.clear();
    }
    assert.equal(written, '');
  });
});

describe('amount', () => {
  it('never says 100 % before the end', () => {
    assert.equal(amount(999, 1000), '999 of 1000 (99 %)');
    assert.equal(amount(1000, 1000), '1000 of 1000 (100 %)');
  });

  it('does without a total', () => {
    assert.equal(amount(7), '7');
    assert.equal(amount(0, 0), '0');
  });
});
