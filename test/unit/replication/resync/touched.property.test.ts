import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TreeEntry } from '../../../../src/core/model/object-description.js';
import { isDirectory } from '../../../../src/core/replication/resync/snapshot.js';
import { refreshed, touchedBy } from '../../../../src/core/replication/resync/touched.js';
import { PaperCluster } from '../../../support/paper/cluster.js';
import { anyAct, doAct } from '../../../support/paper/random-act.js';
import { entriesOf, type PaperTree } from '../../../support/paper/tree.js';

const RUNS = Number(process.env['MERGE_RUNS'] ?? 600);

/** A walk as lento does it: names are read when a directory is entered, objects when their turn comes. */
function* walk(tree: PaperTree): Generator<TreeEntry, void> {
  const all = (): TreeEntry[] => entriesOf(tree);
  const namesIn = (path: string): string[] =>
    all().flatMap((entry) =>
      entry.path !== '' && parentOf(entry.path) === path ? [entry.path] : [],
    );
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const entry = all().find((each) => each.path === path);
    if (entry === undefined) continue;
    if (isDirectory(entry)) pending.push(...namesIn(path));
    yield entry;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

const byPath = (entries: readonly TreeEntry[]): TreeEntry[] =>
  entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));

describe('a tree that was looked at while it changed', () => {
  it('is as it is now when what its log tells of was looked at again', () => {
    const acts = fc.array(anyAct, { maxLength: 24 });
    const during = fc.array(fc.record({ after: fc.nat(12), act: anyAct }), { maxLength: 12 });
    let whole = 0;
    fc.assert(
      fc.property(acts, during, acts, (before, meanwhile, since) => {
        const { server } = new PaperCluster('office', ['laptop']);
        for (const act of before) doAct(server, act);
        const from = server.records.length;
        const seen: TreeEntry[] = [];
        for (const entry of walk(server.tree)) {
          seen.push(entry);
          for (const { after, act } of meanwhile) if (after === seen.length) doAct(server, act);
        }
        for (const act of since) doAct(server, act);
        const { deep, shallow, objects } = touchedBy(server.records.slice(from));
        const now = entriesOf(server.tree);
        const isIn = (path: string): boolean =>
          deep.some((d) => path === d || d === '' || path.startsWith(`${d}/`));
        const found = now.filter(({ path }) => shallow.includes(path) || isIn(path));
        const tree = refreshed(seen, { deep, objects }, found);
        if (tree === undefined) {
          whole++;
          return;
        }
        assert.deepEqual(byPath(tree), byPath(now));
        const known = new Set<string>();
        for (const { path } of tree) {
          assert.ok(path === '' || known.has(parentOf(path)), `${path} comes before its directory`);
          known.add(path);
        }
      }),
      { numRuns: RUNS },
    );
    assert.ok(whole < RUNS / 2, `${whole} of ${RUNS} trees had to be looked at whole`);
  });
});
