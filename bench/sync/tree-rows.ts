import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/system/processes.js';
import type { Row } from '../harness/row.js';
import { readIfThere, timed } from '../harness/waiting.js';
import { arrive, clean } from './arrival.js';
import type { Pair } from './pair.js';

const FILES_A_DIRECTORY = 50;
/** Of a smaller tree the start of a process is most of what the first synchronisation takes. */
const FILES_OF_BAR = 5000;

/** Files below a directory. */
function countFiles(directory: string): number {
  const all = readdirSync(directory, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).length;
}

/** A tree of small files, each time with other contents. */
class SmallFiles {
  #serial = 0;
  /** What was made last at the left of each pair. */
  readonly #last = new Map<Pair, string>();

  constructor(readonly files: number) {}

  path(side: string): string {
    return join(side, 'tree');
  }

  make(pair: Pair): void {
    const side = pair.left;
    this.#serial++;
    this.#last.set(pair, `${this.#serial}\n`);
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
  isWhole(pair: Pair): boolean {
    return pair.name === 'izo' ? this.#hasLast(pair) : this.isEqual(pair);
  }

  /** Whatever the order was. */
  isEqual(pair: Pair): boolean {
    return this.#hasLast(pair) && countFiles(this.path(pair.right)) === this.files + 1;
  }

  #hasLast(pair: Pair): boolean {
    return readIfThere(join(this.path(pair.right), 'last')) === this.#last.get(pair);
  }
}

export function treeRows(files: number): Row<Pair>[] {
  const small = new SmallFiles(files);
  const fill = async (pair: Pair): Promise<void> => {
    small.make(pair);
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
    firstRow(small),
    bothRow(small.files),
  ];
}

/** A tree that was there before comes to a host that has nothing: for izo from the start of its lento on. */
function firstRow(small: SmallFiles): Row<Pair> {
  return {
    ...{ id: `first synchronisation of ${small.files}`, unit: 's', amount: 1 },
    bars: small.files < FILES_OF_BAR ? [] : [{ of: 'izo', to: 'rsync', most: 1 }],
    prepare: async (pair) => {
      await clean(pair);
      small.make(pair);
      await arrive(pair, () => small.isEqual(pair));
    },
    before: (pair) => pair.forget(),
    measure: (pair) =>
      timed(async () => {
        await pair.begin();
        await arrive(pair, () => small.isEqual(pair));
      }),
    finish: clean,
  };
}

/** Both make files at once, each in a directory of its own. */
function bothRow(files: number): Row<Pair> {
  const each = Math.ceil(files / 10);
  const make = (side: string, name: string) =>
    run('bash', [
      '-c',
      `mkdir "$1" && cd "$1" && for ((i = 0; i < $2; i++)); do echo $i > $i; done`,
      ...['bash', join(side, name), String(each)],
    ]);
  let serial = 0;
  const has = (side: string, name: string) =>
    readIfThere(join(side, name, String(each - 1))) !== '' && countFiles(join(side, name)) === each;
  return {
    ...{ id: `both make ${each} files at once`, unit: 's', amount: 1 },
    appliesTo: ({ twoWay }: Pair) => twoWay === true,
    prepare: clean,
    measure: (pair) =>
      timed(async () => {
        const { left, right } = pair;
        serial++;
        const [one, other] = [`left-${serial}`, `right-${serial}`];
        await Promise.all([make(left, one), make(right, other)]);
        await arrive(pair, () => has(right, one) && has(left, other));
      }),
    finish: clean,
  };
}
