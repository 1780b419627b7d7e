import assert from 'node:assert/strict';
import fc from 'fast-check';
import { closest, editDistance, listed, quoted } from '../../../src/core/config/index.js';

const word = fc.string({ maxLength: 8 });

describe('suggestions', () => {
  it('the distance is that of one slip of the pen each', () => {
    const table: [string, string, number][] = [
      ['', '', 0],
      ['', 'abc', 3],
      ['ipadr', 'ipaddr', 1],
      ['ipaddrr', 'ipaddr', 1],
      ['ipabdr', 'ipaddr', 1],
      ['iapddr', 'ipaddr', 1],
      ['kitten', 'sitting', 3],
    ];
    for (const [from, to, distance] of table) assert.equal(editDistance(from, to), distance);
  });

  it('the distance is symmetric, zero only for equals, and bounded', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        assert.equal(distance, editDistance(b, a));
        assert.equal(distance === 0, a === b);
        assert.ok(distance >= Math.abs(a.length - b.length));
        assert.ok(distance <= Math.max(a.length, b.length));
      }),
    );
  });

  it('only a near word is suggested', () => {
    const names = ['name', 'ipaddr', 'port', 'bindaddr'];
    assert.equal(closest('IPADDR', names), 'ipaddr');
    assert.equal(closest('bind_addr', names), 'bindaddr');
    assert.equal(closest('prot', names), 'port');
    assert.equal(closest('colour', names), undefined);
    assert.equal(closest('x'.repeat(1000), names), undefined);
  });

  it('what a file says cannot harm a terminal', () => {
    assert.equal(quoted('a\u001b[2Jb\n'), '`a\\u001b[2Jb\\n`');
    assert.equal(quoted('\u202egnp'), '`?gnp`');
    assert.ok(quoted('x'.repeat(1000)).length < 80);
    assert.equal(listed([]), 'none');
    assert.equal(listed(['a', 'b', 'c']), '`a`, `b` and `c`');
  });
});
