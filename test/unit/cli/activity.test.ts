import assert from 'node:assert/strict';
import type { FilesetActivity, PeerTransfer } from '../../../src/core/cli/terminal/activity.js';
import { renderActivity } from '../../../src/core/cli/render/activity.js';

const RATES = { operations: 1, errors: 0, written: 0, read: 0, p50: null, p95: null };

function fileset(transfers: readonly PeerTransfer[]): FilesetActivity {
  return {
    ...{ fileset: 'shared', mountPoint: '/izo0', seconds: 1, waiting: 0, openFiles: 0 },
    ...{ permit: 'held here', backlog: null, kinds: [], processes: [], transfers, ...RATES },
  };
}

const MIB = 2 ** 20;
const transfer = (path: string): PeerTransfer => ({
  peer: 'clientA',
  direction: 'to',
  path,
  bytes: MIB,
  size: 4 * MIB,
  rate: 2 * MIB,
});

describe('what izo top shows', () => {
  it('has no word of contents on their way where there are none', () => {
    assert.ok(
      !renderActivity([fileset([])])
        .join('\n')
        .includes('ON ITS WAY'),
    );
  });

  it('has what is on its way: where to, how much, how fast, what', () => {
    const lines = renderActivity([fileset([transfer('docs/film')])]);
    const at = lines.findIndex((line) => line.startsWith('ON ITS WAY'));
    assert.match(lines[at + 1] ?? '', /^to clientA +1M +4M +2M +shared +docs\/film$/);
  });

  it('tells how many more there are than fit', () => {
    const many = Array.from({ length: 20 }, (_, index) => transfer(`f${index}`));
    assert.ok(renderActivity([fileset(many)]).includes('and 12 more'));
  });
});
