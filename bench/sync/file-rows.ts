import { randomBytes, randomFillSync } from 'node:crypto';
import { closeSync, lstatSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../harness/row.js';
import { quantile } from '../harness/statistics.js';
import { readIfThere, timed } from '../harness/waiting.js';
import { arrive } from './arrival.js';
import type { Pair } from './pair.js';

const SMALL_BYTES = 1024;
const SIZES = 100;
const MIB = 2 ** 20;
/** A change within the file must come in another second than the one before, for rsync; unison takes two for one. */
const APART_MS = 2200;

/** Waits where the other systems have not taken long enough meanwhile. */
class Seconds {
  readonly #written = new Map<Pair, number>();

  async next(pair: Pair): Promise<void> {
    const since = performance.now() - (this.#written.get(pair) ?? -Infinity);
    if (since < APART_MS) await sleep(APART_MS - since);
  }

  wrote(pair: Pair): void {
    this.#written.set(pair, performance.now());
  }
}
/** Who has to be run after each change, or takes long, is asked so many times less often. */
const SELDOM = 10;

/** One file, written again and again: how long each time until it is there, at the middle and of the slow ones of the same. */
export function updateRows(updates: number): Row<Pair>[] {
  let serial = 0;
  const update = async (pair: Pair): Promise<void> => {
    // Of another size each time: rsync takes the same size at the same second for the same.
    const text = `${++serial} `.padEnd(SMALL_BYTES + (serial % SIZES), 'x');
    writeFileSync(join(pair.left, 'small'), text);
    await arrive(pair, () => readIfThere(join(pair.right, 'small')) === text);
  };
  const series = async (pair: Pair): Promise<number[]> => {
    const times: number[] = [];
    const seldom = pair.carry !== undefined || pair.isSlow === true;
    const count = updates / (seldom ? SELDOM : 1);
    for (let i = 0; i < count; i++) times.push(await timed(() => update(pair)));
    return times;
  };
  /** What was measured for a row before, for the rows behind it. */
  const measured = new Map<Pair, number[][]>();
  const row = (percent: number, seconds: number): Row<Pair> => {
    const rounds = new Map<Pair, number>();
    return {
      ...{ id: `update 1 KiB, p${percent}`, unit: 'ms', amount: 1 },
      bars: [{ of: 'izo', seconds }],
      measure: async (pair) => {
        const all = measured.get(pair) ?? [];
        measured.set(pair, all);
        const round = rounds.get(pair) ?? 0;
        rounds.set(pair, round + 1);
        const times = (all[round] ??= await series(pair));
        return quantile(times, percent / 100);
      },
    };
  };
  return [row(50, 0.005), row(95, 0.02)];
}

/** A file whose every MiB says when it was written. */
class BigFile {
  readonly #content = randomBytes(MIB);
  #serial = 0;

  constructor(readonly mib: number) {}

  path(side: string): string {
    return join(side, 'big');
  }

  #mark(): void {
    this.#content.writeUInt32LE(++this.#serial, 0);
  }

  write(side: string): void {
    const fd = openSync(this.path(side), 'w');
    for (let i = 0; i < this.mib; i++) {
      this.#mark();
      writeSync(fd, this.#content);
    }
    closeSync(fd);
  }

  writeInside(side: string, at: number): void {
    // All of it is new: nobody finds the old bytes in it.
    randomFillSync(this.#content);
    this.#mark();
    const fd = openSync(this.path(side), 'r+');
    writeSync(fd, this.#content, 0, MIB, at * MIB);
    closeSync(fd);
  }

  /** The MiB that was written last is there. */
  isThere(side: string, at: number): boolean {
    const stats = lstatSync(this.path(side), { throwIfNoEntry: false });
    if (stats?.size !== this.mib * MIB) return false;
    const fd = openSync(this.path(side), 'r');
    const mark = Buffer.alloc(4);
    readSync(fd, mark, 0, mark.length, at * MIB);
    closeSync(fd);
    return mark.readUInt32LE() === this.#serial;
  }
}

/** The last row is the change inside; it is also what the bytes on the wire are counted of. */
export function fileRows(mib: number): Row<Pair>[] {
  const big = new BigFile(mib);
  const inside = Math.floor(mib / 2);
  const seconds = new Seconds();
  const whole = (pair: Pair): Promise<number> =>
    timed(async () => {
      big.write(pair.left);
      seconds.wrote(pair);
      await arrive(pair, () => big.isThere(pair.right, mib - 1));
    });
  return [
    {
      ...{ id: `file of ${mib} MiB`, unit: 'MiB/s', amount: mib },
      bars: [{ of: 'izo', to: 'rsync', most: 2 }],
      before: (pair) => seconds.next(pair),
      measure: whole,
    },
    {
      ...{ id: `1 MiB inside ${mib} MiB`, unit: 'ms', amount: 1 },
      bars: [{ of: 'izo', seconds: 0.1 }],
      prepare: async (pair) => {
        await seconds.next(pair);
        await whole(pair);
      },
      before: (pair) => seconds.next(pair),
      measure: (pair) =>
        timed(async () => {
          big.writeInside(pair.left, inside);
          seconds.wrote(pair);
          await arrive(pair, () => big.isThere(pair.right, inside));
        }),
    },
  ];
}
