import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/core/system/processes.js';
import { REFUSALS, type Ability } from './abilities.js';
import { DeltaReplica } from './delta-replica.js';
import { FILESET, MountedHost } from './mounted-host.js';

/** presto looks once a second. */
const UNSEEN_MS = 2_200;

/** A file system under test, by the directory where it is mounted. */
export interface Tree {
  readonly root: string;
  /** Waits until it has noticed what programs did that have told nobody: by writing to memory. */
  settle(): Promise<void>;
  /** To be called after each check: takes note of what the file system tells of what was done to it. */
  follow(): void;
  /** Where the file system tells of what was done to it: checks that it does so rightly. */
  check(): Promise<void>;
  remove(): Promise<void>;
}

/** A plain ext3, as the kernel has it: what everything is measured by. */
async function plainTree(size: string): Promise<Tree> {
  const directory = mkdtempSync(join(tmpdir(), 'izo-plain-'));
  chmodSync(directory, 0o755);
  const image = join(directory, 'image');
  const root = join(directory, 'root');
  mkdirSync(root);
  writeFileSync(image, '');
  truncateSync(image, Number.parseInt(size, 10) * 2 ** 20);
  try {
    await run('mke2fs', ['-q', '-t', 'ext3', '-b', '4096', '-I', '256', image]);
    await run('mount', ['-o', 'loop', image, root]);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    root,
    settle: () => Promise.resolve(),
    follow: () => undefined,
    check: () => Promise.resolve(),
    remove: async () => {
      await run('umount', ['-l', root]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function izoTree(size: string, ...options: readonly string[]): Promise<Tree> {
  const host = await MountedHost.make(size);
  try {
    await host.mount(...options);
  } catch (error) {
    await host.remove();
    throw error;
  }
  const delta = new DeltaReplica(host.state.lowerPath, FILESET);
  return {
    root: host.mountPoint,
    settle: async () => {
      await sleep(UNSEEN_MS);
      delta.follow();
    },
    follow: () => {
      delta.follow();
    },
    check: async () => {
      const differences = delta.differences();
      delta.close();
      await host.unmountAndCheck();
      assert.deepEqual(differences, [], 'contents are not what the KML’s ranges make');
    },
    remove: () => host.remove(),
  };
}

/** A way to have a tree. `lacks`: what it is documented not to be able to. */
interface TreeKind {
  readonly name: string;
  readonly make: (size: string) => Promise<Tree>;
  readonly lacks: readonly Ability[];
}

const NATIVE: TreeKind = {
  name: 'on a fileset by the native binding',
  make: (size) => izoTree(size, 'binding=native'),
  lacks: Object.keys(REFUSALS) as Ability[],
};

/** For checks of what is presto's business, whatever the binding. */
export const ONE_BINDING: readonly TreeKind[] = [
  { name: 'on plain ext3', make: plainTree, lacks: [] },
  { name: 'on a fileset', make: (size) => izoTree(size), lacks: [] },
];

/** fuse-native has builds for x86-64 only. */
const TREES = [...ONE_BINDING, ...(process.arch === 'x64' ? [NATIVE] : [])];

/** What the checks of one suite have at hand. */
export interface Place {
  /** The root of the file system. */
  readonly root: () => string;
  /** See Tree.settle. */
  readonly settle: () => Promise<void>;
  /**
   * A path in an empty directory of this check alone; without names, that directory. What is left in it at the end is
   * compared with what the log tells.
   */
  readonly at: (...names: string[]) => string;
  /** The same, of a name that is bytes and not text. */
  readonly bytes: (name: Buffer) => Buffer;
  /** Declares a check as `it` does, of what not every tree is able to: there, that it is refused as documented. */
  readonly needs: (
    ability: Ability,
    title: string,
    check: Mocha.Func | Mocha.AsyncFunc,
  ) => Mocha.Test;
}

/**
 * Declares a suite of checks and runs it on every kind of tree: a plain ext3 shows that the checks are right.
 * `size` in mebibytes: `64M`.
 */
export function describeTrees(
  title: string,
  checks: (place: Place) => void,
  size = '64M',
  trees: readonly TreeKind[] = TREES,
): void {
  describe(title, () => {
    for (const { name, make, lacks } of trees) {
      describe(name, () => {
        let tree: Tree | undefined;
        let directory = '';
        let count = 0;
        before(async function () {
          this.timeout(60_000);
          tree = await make(size);
        });
        after(async function () {
          this.timeout(60_000);
          try {
            await tree?.check();
          } finally {
            await tree?.remove();
          }
        });
        const root = (): string => tree?.root ?? '';
        beforeEach(() => {
          directory = join(root(), `check-${++count}`);
          mkdirSync(directory);
        });
        afterEach(() => {
          tree?.follow();
        });
        const place: Place = {
          root,
          settle: async () => tree?.settle(),
          at: (...names) => join(directory, ...names),
          bytes: (path) => Buffer.concat([Buffer.from(`${directory}/`), path]),
          needs: (ability, title, check) => {
            if (!lacks.includes(ability)) return it(title, check);
            return it(`${title}: is refused`, () => {
              REFUSALS[ability](place);
            });
          },
        };
        checks(place);
      });
    }
  });
}

/** Makes both for one suite that compares them. */
export async function makeTrees(size: string): Promise<{ plain: Tree; izo: Tree }> {
  const plain = await plainTree(size);
  try {
    return { plain, izo: await izoTree(size) };
  } catch (error) {
    await plain.remove();
    throw error;
  }
}
