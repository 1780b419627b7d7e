import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/core/system/processes.js';
import { IZO } from './run.js';

/** All that a demonstration could leave behind, by names that other programs do not use. */
async function remains(tag: string): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const loops = (await run('losetup', ['-a'])).stdout.split('\n');
  const namespaces = (await run('ip', ['netns', 'list'])).stdout.split('\n');
  const directories = readdirSync(tmpdir());
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandOf);
  return [...mounts, ...loops, ...namespaces, ...directories, ...processes].filter((line) =>
    line.includes(tag),
  );
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Resolves with the demonstration's own tag, when it has said a line like that. */
  said(words: string): Promise<string>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [IZO, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const waiting: (() => void)[] = [];
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString('utf8');
    for (const look of waiting) look();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const said = (words: string) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const tag = /izo-demo-[A-Za-z0-9]+/.exec(output)?.[0];
        if (output.includes(words) && tag !== undefined) resolve(tag);
      };
      waiting.push(look);
      look();
    });
  return { child, ended, said };
}

async function nothingRemains(tag: string): Promise<void> {
  let left: string[] = [];
  for (let i = 0; i < 100; i++) {
    left = await remains(tag);
    if (left.length === 0) return;
    await sleep(200);
  }
  assert.deepEqual(left, []);
}

describe('izo demo', function () {
  this.timeout(120_000);

  it('tells its story, ends by itself and leaves nothing behind', async () => {
    const demo = start('--once');
    const tag = await demo.said('mount ');
    assert.equal(await demo.ended, 0);
    assert.deepEqual(await remains(tag), []);
  });

  it('leaves nothing behind when it is killed in the middle', async () => {
    const demo = start('--once');
    const tag = await demo.said('lento ');
    await sleep(500);
    demo.child.kill('SIGKILL');
    await demo.ended;
    await nothingRemains(tag);
  });

  it('ends at Ctrl-C, with nothing left behind', async () => {
    const demo = start();
    const tag = await demo.said('lento ');
    demo.child.kill('SIGINT');
    await demo.ended;
    await nothingRemains(tag);
  });
});
