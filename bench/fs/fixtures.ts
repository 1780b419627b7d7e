import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/system/processes.js';

/** What is unpacked, cloned and copied: made anew, the same every time. */

const FILES_A_DIRECTORY = 100;
const GIT_IDENTITY = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];

/** `count` files of 200 bytes to 8 KiB of text in directories of 100. */
export function writeTree(root: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const directory = join(root, `directory${Math.floor(index / FILES_A_DIRECTORY)}`);
    if (index % FILES_A_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
    const lines = 4 + ((index * 37) % 160);
    writeFileSync(
      join(directory, `file${index}.txt`),
      `line of file ${index}, nothing else\n`.repeat(lines),
    );
  }
}

export interface Fixtures {
  readonly tar: string;
  readonly repository: string;
  readonly files: number;
}

/** A tar and a git repository of the same tree. */
export async function makeFixtures(root: string, files: number, git: boolean): Promise<Fixtures> {
  const source = join(root, 'tree');
  const made = { tar: join(root, 'tree.tar'), repository: join(root, 'repository'), files };
  writeTree(source, files);
  await run('tar', ['-cf', made.tar, '-C', root, 'tree']);
  if (git) {
    await run('git', ['init', '-q', source]);
    await run('git', ['add', '.'], { cwd: source });
    await run('git', [...GIT_IDENTITY, 'commit', '-q', '-m', 'all of it'], { cwd: source });
    await run('git', ['clone', '-q', '--bare', source, made.repository]);
  }
  rmSync(source, { recursive: true });
  return made;
}
