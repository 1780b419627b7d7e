import assert from 'node:assert/strict';
import { table } from '../../../src/core/cli/render/table.js';

const COLUMNS = [
  { title: 'NAME', value: (row: { name: string; size: number }) => row.name },
  { title: 'SIZE', value: (row: { size: number }) => row.size, align: 'right' as const },
];

describe('table', () => {
  it('puts cells below their titles, numbers to the right', () => {
    const rows = [
      { name: 'shared', size: 7 },
      { name: 'a', size: 12_345 },
    ];
    assert.equal(table(rows, COLUMNS), 'NAME     SIZE\nshared      7\na       12345');
  });

  it('has titles even without rows', () => {
    assert.equal(table([], COLUMNS), 'NAME  SIZE');
  });

  it('ends no line with blanks and leaves no cell empty', () => {
    const rows = [{ name: '', size: 1 }];
    assert.equal(table(rows, [...COLUMNS].reverse()), 'SIZE  NAME\n   1  -');
  });

  it('counts what a terminal shows, not code units', () => {
    const rows = [
      { name: '日本', size: 1 },
      { name: 'e\u0301', size: 2 },
      { name: 'abcd', size: 3 },
    ];
    const widths = ['日本     1', 'e\u0301        2', 'abcd     3'];
    assert.deepEqual(table(rows, COLUMNS).split('\n').slice(1), widths);
  });

  it('lets no file name steer the terminal', () => {
    const rows = [{ name: 'a\u001b[2Jb\nc', size: 1 }];
    assert.equal(table(rows, COLUMNS).split('\n')[1], 'a?[2Jb?c     1');
  });
});
