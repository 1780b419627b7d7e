import { rm } from 'node:fs/promises';
import type { Replica } from '../replica.js';

/** What one merge puts into the stage, by name: what of it presto does not take is removed again. */
export class MergeStage {
  readonly #names = new Set<string>();

  constructor(private readonly replica: Replica) {}

  /** Where something of that name is to be put. */
  path(name: string): string {
    this.#names.add(name);
    return this.replica.stagePath(name);
  }

  async empty(): Promise<void> {
    for (const name of this.#names) {
      await rm(this.replica.stagePath(name), { recursive: true, force: true });
    }
  }
}
