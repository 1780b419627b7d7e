import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  verdictOn,
  type Collision,
  type ConflictPolicy,
  type Verdict,
} from '../../../../src/core/replication/merge/rules.js';

const DOCUMENT = new URL('../../../../docs/conflicts.md', import.meta.url);

const COLLISIONS: readonly Collision[] = [
  ...['contents', 'name', 'attribute', 'move', 'cycle', 'update-removal', 'removal-update'],
] as Collision[];
const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'server', 'client', 'manual'];

function inWords({ winner, loser, open }: Verdict): string {
  const lost = { beside: '; the other beside it', stored: '; the other in the store', nothing: '' };
  return `the ${winner}'s stands${lost[loser]}${open ? '; somebody has to decide' : ''}`;
}

describe('the rules of conflicts', () => {
  it('are those that docs/conflicts.md shows', () => {
    const rows = COLLISIONS.map((collision) => {
      const cells = POLICIES.map((policy) => inWords(verdictOn(collision, policy)));
      return `| \`${collision}\` | ${cells.join(' | ')} |`;
    });
    const heads = [`| collision | ${POLICIES.join(' | ')} |`, '|---|---|---|---|---|'];
    const table = [...heads, ...rows].join('\n');
    const [, shown] =
      /<!-- rules -->\n([^]*?)\n<!-- end -->/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
    assert.equal(shown, table);
  });

  it('lose no version by any policy where there are two', () => {
    for (const policy of POLICIES) {
      for (const collision of ['contents', 'name'] as const) {
        assert.notEqual(verdictOn(collision, policy).loser, 'nothing');
      }
    }
  });

  it('let an update beat a removal by any policy', () => {
    for (const policy of POLICIES) {
      assert.equal(verdictOn('update-removal', policy).winner, 'client');
      assert.equal(verdictOn('removal-update', policy).winner, 'server');
    }
  });
});
