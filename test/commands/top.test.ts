import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FilesetActivity } from '../../src/core/cli/terminal/activity.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { Terminal } from '../support/terminal.js';
import { izo, IZO } from './run.js';

describe('izo top', function () {
  this.timeout(30_000);
  let mounted: MountedHost;
  let env: Record<string, string>;

  before(async () => {
    mounted = await MountedHost.make('16M');
    env = mounted.host.environment;
    const write = (file: string, text: string): void =>
      writeFileSync(join(mounted.host.configDir, file), `${text}\n`);
    write('sysid', '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.80" />');
    write(
      'serverdb',
      '<serverdb><server name="muskox" ipaddr="127.0.0.80" port="2280" /></serverdb>',
    );
    write('fsetdb', `<fsetdb><fileset name="${FILESET}" servername="muskox" /></fsetdb>`);
    await mounted.mount();
    await mounted.host.startLento(['--trusted-network']);
  });
  after(() => mounted.remove());

  /** Makes a directory and takes it away, and writes 100 bytes, ten times a second. */
  const WORK = `
    setInterval(() => {
      fs.mkdirSync(d); fs.rmdirSync(d); fs.writeFileSync(d, Buffer.alloc(100)); fs.rmSync(d);
    }, 100)`;

  async function whileWorking(act: (pid: number) => Promise<void>): Promise<void> {
    const script = `const d = process.argv[1] + "/" + process.pid; ${WORK}`;
    const words = ['-e', script, mounted.mountPoint];
    const worker = spawn(process.execPath, words, { cwd: '/', stdio: 'ignore' });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    try {
      await act(worker.pid ?? 0);
    } finally {
      worker.kill();
      await ended;
    }
  }

  it('tells what is done a second, by operation and by process, and who has the permit', () =>
    whileWorking(async (pid) => {
      const { code, stdout, stderr } = await izo(['top', FILESET, '--json', '-n', '2'], { env });
      assert.equal(code, 0, stderr);
      const looks = stdout.trim().split('\n');
      assert.equal(looks.length, 2);
      const { filesets } = JSON.parse(looks[1] ?? '') as { filesets: FilesetActivity[] };
      const [shared, ...more] = filesets;
      assert.ok(shared !== undefined && more.length === 0);
      assert.ok(shared.seconds > 0.9, String(shared.seconds));
      const rateOf = (name: string): number =>
        shared.kinds.find(({ operation }) => operation === name)?.operations ?? 0;
      for (const name of ['mkdir', 'rmdir', 'write'])
        assert.ok(rateOf(name) > 0.5 && rateOf(name) < 11, `${name} ${rateOf(name)}`);
      const sum = shared.kinds.reduce((total, { operations }) => total + operations, 0);
      assert.ok(Math.abs(sum - shared.operations) < 0.1);
      // Rates are rounded.
      assert.ok(Math.abs(shared.written - 100 * rateOf('write')) < 1, String(shared.written));
      assert.equal(shared.read, 0);
      assert.ok((shared.p50 ?? 0) > 0 && (shared.p95 ?? 0) >= (shared.p50 ?? 0));
      assert.equal(shared.permit, 'held here');
      assert.deepEqual([shared.waiting, shared.mountPoint], [0, mounted.mountPoint]);
      const [worker] = shared.processes;
      assert.deepEqual([worker?.pid, worker?.user], [pid, 'root']);
    }));

  it('is redrawn in a screen of its own, and leaves the terminal as it was', () =>
    whileWorking(async (pid) => {
      const terminal = new Terminal();
      try {
        terminal.start([process.execPath, IZO, 'top'], env);
        await terminal.see('OPERATION ');
        await terminal.see(`${pid}  root`);
        terminal.press('C-c');
        const screen = await terminal.see('exit 0');
        assert.doesNotMatch(screen, /OPERATION/);
      } finally {
        terminal.close();
      }
    }));

  it('goes on when a fileset is unmounted, and is refused where none is mounted', async () => {
    const words = [IZO, 'top', '--json', '--count', '3'];
    const child = spawn(process.execPath, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const seen: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push((JSON.parse(line) as { filesets: unknown[] }).filesets.length);
      if (seen.length === 1) await mounted.unmount();
    }
    assert.equal(await ended, 0);
    assert.deepEqual([seen.length, seen[0], seen.at(-1)], [3, 1, 0]);
    assert.equal((await izo(['top', '--json'], { env })).code, 4);
  });
});
