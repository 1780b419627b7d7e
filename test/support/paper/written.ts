import assert from 'node:assert/strict';
import type { PaperCluster } from './cluster.js';
import type { PaperHost } from './host.js';
import { doAct, type Act } from './random-act.js';

/** Contents that somebody has written, and nobody has overwritten or removed who had them before their eyes. */
export class Written {
  readonly #contents = new Set<string>();

  act(host: PaperHost, act: Act): void {
    const before = contentsOf(host);
    doAct(host, act);
    const after = contentsOf(host);
    for (const data of before) if (!after.has(data)) this.#contents.delete(data);
    for (const data of after) if (!before.has(data)) this.#contents.add(data);
  }

  check({ hosts, clients }: PaperCluster): void {
    const kept = new Set(hosts.flatMap((host) => [...contentsOf(host)]));
    for (const { stored } of clients) for (const data of stored) kept.add(data);
    for (const data of this.#contents) assert.ok(kept.has(data), `${data} is lost`);
  }
}

/** Many files come to have the contents `same`: of those nobody can tell which they are. */
function contentsOf({ tree }: PaperHost): Set<string> {
  const contents = new Set([...tree.walk()].map(([, { data }]) => data));
  contents.delete('same');
  contents.delete('');
  return contents;
}
