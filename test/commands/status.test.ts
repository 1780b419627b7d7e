import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Terminal } from '../support/terminal.js';
import { IZO, izo } from './run.js';

describe('izo status and izo metrics', () => {
  let root: string;
  let lento: ChildProcess | undefined;
  let env: Record<string, string>;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'izo-status-'));
    const [configDir, runDir, stateDir] = ['etc', 'run', 'var'].map((name) => join(root, name));
    for (const path of [configDir, runDir, stateDir]) mkdirSync(path!);
    env = { IZO_CONFIG_DIR: configDir!, IZO_RUN_DIR: runDir!, IZO_STATE_DIR: stateDir! };
    const write = (file: string, text: string): void =>
      writeFileSync(join(configDir!, file), `${text}\n`);
    write('sysid', '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.77" />');
    write(
      'serverdb',
      '<serverdb><server name="muskox" ipaddr="127.0.0.77" port="2277" /></serverdb>',
    );
    write('fsetdb', '<fsetdb><fileset name="shared" servername="muskox" /></fsetdb>');
    await start();
  });

  after(async () => {
    await stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    const child = spawn(process.execPath, [IZO, 'lento'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    lento = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('is ready')) break;
    }
  }

  async function stop(): Promise<void> {
    if (lento === undefined || lento.exitCode !== null) return;
    lento.kill('SIGTERM');
    await once(lento, 'exit');
  }

  it('says that a fileset is not mounted, with the exit code for that', async () => {
    const { code, stdout } = await izo(['status'], { env });
    assert.equal(code, 3);
    assert.match(stdout, /shared: served here, NOT MOUNTED/);
  });

  it('gives Prometheus the same', async () => {
    const { code, stdout } = await izo(['metrics'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /^izo_fileset_mounted\{fileset="shared",role="server"\} 0$/m);
    assert.match(stdout, /^izo_needs_human 1$/m);
  });

  it('is told again and again as objects, one a line, until it is ended', async () => {
    const child = spawn(process.execPath, [IZO, 'status', '--watch', '--json'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen: unknown[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push((JSON.parse(line) as { sysid: string }).sysid);
      if (seen.length === 2) break;
    }
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.deepEqual(seen, ['muskox', 'muskox']);
    assert.equal(code, 0);
  });

  it('is redrawn in a screen of its own, survives a restart of lento, and leaves the terminal as it was', async () => {
    const terminal = new Terminal();
    try {
      terminal.start([process.execPath, IZO, 'status', '--watch'], env);
      await terminal.see('shared: served here, NOT MOUNTED');
      await stop();
      await terminal.see('lento of muskox is not running');
      await start();
      await terminal.see('shared: served here, NOT MOUNTED');
      terminal.press('C-c');
      const screen = await terminal.see('exit 0');
      assert.doesNotMatch(screen, /served here/);
    } finally {
      terminal.close();
    }
  });

  it('refuses an interval without --watch', async () => {
    const { code, stderr } = await izo(['status', '--interval', '5'], { env });
    assert.equal(code, 2);
    assert.match(stderr, /--watch/);
  });
});
