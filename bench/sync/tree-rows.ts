import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../harness/row.js';
import { arrive, clean, readIfThere, timed } from './arrival.js';
import type { Pair } from './pair.js';

const FILES_A_DIRECTORY = 50;

/** A tree of small files, each time with other contents. */
class SmallFiles {
  #serial = 0;

  constructor(private readonly files: number) {}

  path(side: string): string {
    return join(side, 'tree');
  }

  make(side: string): void {
    this.#serial++;
    for (let d = 0; d < this.files / FILES_A_DIRECTORY; d++) {
      const directory = join(this.path(side), `d${d}`);
      mkdirSync(directory, { recursive: true });
      for (let f = 0; f < FILES_A_DIRECTORY; f++) {
        writeFileSync(join(directory, `f${f}`), `${this.#serial} ${d} ${f}\n`);
      }
    }
    writeFileSync(join(this.path(side), 'last'), `${this.#serial}\n`);
  }

  /** izo keeps the order: the last file tells of all. Others may bring it first. */
  isWhole({ name, right }: Pair): boolean {
    const last = readIfThere(join(this.path(right), 'last')) === `${this.#serial}\n`;
    return last && (name === 'izo' || this.#count(right) === this.files + 1);
  }

  #count(side: string): number {
    const all = readdirSync(this.path(side), { recursive: true, withFileTypes: true });
    return all.filter((entry) => entry.isFile()).length;
  }
}

export function treeRows(files: number): Row<Pair>[] {
  const small = new SmallFiles(files);
  const fill = async (pair: Pair): Promise<void> => {
    small.make(pair.left);
    await arrive(pair, () => small.isWhole(pair));
  };
  return [
    {
      ...{ id: `${files} small files`, unit: 's', amount: 1 },
      bars: [{ of: 'izo', to: 'unison', most: 1 }],
      before: clean,
      measure: (pair) => timed(() => fill(pair)),
    },
    {
      ...{ id: `rename of a directory of ${files}`, unit: 'ms', amount: 1 },
      bars: [{ of: 'izo', seconds: 0.03 }],
      prepare: async (pair) => {
        await clean(pair);
        await fill(pair);
      },
      measure: (pair) =>
        timed(async () => {
          renameSync(small.path(pair.left), join(pair.left, 'moved'));
          const last = join(pair.right, 'moved/last');
          await arrive(pair, () => existsSync(last) && !existsSync(small.path(pair.right)));
        }),
      after: async (pair) => {
        renameSync(join(pair.left, 'moved'), small.path(pair.left));
        const last = join(small.path(pair.right), 'last');
        await arrive(pair, () => existsSync(last) && !existsSync(join(pair.right, 'moved')));
      },
      finish: clean,
    },
  ];
}
