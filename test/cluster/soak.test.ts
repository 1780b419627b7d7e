import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { processesOf, until } from '../support/cluster.js';

const MAIN = fileURLToPath(new URL('../soak/main.ts', import.meta.url));
/** So far the next round is when it is ended: its programs work, and one host or another suffers. */
const INTO_MS = 2_500;

describe('cluster: a round of the soak, and Ctrl-C in the next one', function () {
  this.timeout(240_000);
  let directory: string;
  let soak: ChildProcess | undefined;

  before(function () {
    // Its hosts have networks of their own.
    if (spawnSync('unshare', ['--net', 'true']).status !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), 'izo-soaked-'));
  });

  after(() => {
    // Whatever way it ends, what it has made is taken away.
    if (soak?.exitCode === null) soak.kill('SIGKILL');
  });

  it('violates nothing, leaves nothing, and says what it has seen', async () => {
    const args = ['--import', 'tsx', MAIN, '--seed', '11', '--round', '4', '--minutes', '10'];
    soak = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: directory },
      // Ctrl-C is for all processes of a group.
      detached: true,
    });
    const lines: string[] = [];
    const ended = once(soak, 'close');
    createInterface({ input: soak.stdout! }).on('line', (line) => lines.push(line));
    const isOver = () =>
      lines.some((line) => line.startsWith('round 1')) || soak?.exitCode !== null;
    await until('the first round is over', isOver, 180_000);
    await new Promise((resume) => setTimeout(resume, INTO_MS));
    assert.equal(soak.exitCode, null, lines.join('\n'));
    process.kill(-soak.pid!, 'SIGINT');
    assert.deepEqual(await ended, [130, null], lines.join('\n'));
    const said = lines.join('\n');
    assert.match(said, /^round 1, .* [1-9]\d* operations, .* [1-9]\d* files equal, 0 violations$/m);
    assert.match(lines.at(-1) ?? '', /^1 rounds: [1-9].*, 0 violations$/, said);
    const left = readdirSync(directory).filter((name) => !name.startsWith('tsx-'));
    assert.deepEqual(left, []);
    assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(directory));
    assert.deepEqual(processesOf(directory), []);
    rmSync(directory, { recursive: true });
  });
});
