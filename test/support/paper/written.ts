import assert from 'node:assert/strict';
import type { PaperHost } from './host.js';
import { doAct, type Act } from './random-act.js';
import type { PaperTree } from './tree.js';

/** Contents that somebody has written, and nobody has overwritten or removed who had them before their eyes. */
export class Written {
  readonly #contents = new Set<string>();

  /** A user of the host does something. */
  act(host: PaperHost, act: Act): void {
    const before = contentsOf(host.tree);
    doAct(host, act);
    const after = contentsOf(host.tree);
    for (const data of before) if (!after.has(data)) this.#contents.delete(data);
    for (const data of after) if (!before.has(data)) this.#contents.add(data);
  }

  /** A disk has lost what it had not written yet. */
  lost(before: PaperTree, after: PaperTree): void {
    const left = contentsOf(after);
    for (const data of contentsOf(before)) if (!left.has(data)) this.#contents.delete(data);
  }

  /** All of them are in a tree or in a conflict store. */
  check({ trees, stored }: Kept): void {
    const kept = new Set([...stored, ...trees.flatMap((tree) => [...contentsOf(tree)])]);
    for (const data of this.#contents) assert.ok(kept.has(data), `${data} is lost`);
  }
}

/** What the hosts of a cluster have. */
export interface Kept {
  readonly trees: readonly PaperTree[];
  readonly stored: readonly string[];
}

/** Many files come to have the contents `same`: of those nobody can tell which they are. */
function contentsOf(tree: PaperTree): Set<string> {
  const contents = new Set([...tree.walk()].map(([, { data }]) => data));
  contents.delete('same');
  contents.delete('');
  return contents;
}
