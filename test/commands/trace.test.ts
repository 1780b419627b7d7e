import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TracedOperation } from '../../src/core/cli/render/trace.js';
import { socketPath } from '../../src/core/presto/mounting/mounted-state.js';
import { Channel } from '../../src/core/psdev/channel.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { assertPrinted } from '../support/schemas.js';
import { izo, IZO } from './run.js';

/** A command that goes on until it is ended, and what it has said. */
class Tracing {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;

  constructor(
    private readonly args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    const env = { ...process.env, ...environment };
    this.child = spawn(process.execPath, [IZO, 'trace', ...args], { env, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.child, 'close');
  }

  async until(what: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    for (let tries = 0; tries < 1000; tries++) {
      if (what.test(this[where])) return;
      await sleep(10);
    }
    assert.fail(`never ${String(what)} in: ${this[where]}\n${this.stderr}`);
  }

  /** @returns what it printed, line for line, when it has ended */
  async end(signal?: NodeJS.Signals): Promise<TracedOperation[]> {
    if (signal !== undefined) this.child.kill(signal);
    await this.ended;
    assertPrinted(['trace', ...this.args], this.stdout);
    const lines = this.stdout.trim().split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as TracedOperation);
  }
}

describe('izo trace', function () {
  this.timeout(30_000);
  let mounted: MountedHost;
  const started: Tracing[] = [];
  const at = (name: string): string => join(mounted.mountPoint, name);

  async function tracing(...args: string[]): Promise<Tracing> {
    const made = new Tracing(args, mounted.host.environment);
    started.push(made);
    await made.until(/^following /m, 'stderr');
    return made;
  }

  before(async () => {
    mounted = await MountedHost.make('16M');
    await mounted.mount();
    mkdirSync(at('d'));
  });
  after(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await mounted.remove();
  });

  it('shows who did what, to what, with which result, and ends after as many as wanted', async () => {
    const trace = await tracing('--json', '--path', 'd', '--op', 'mkdir,rmdir', '-n', '2');
    mkdirSync(at('d/é'));
    mkdirSync(at('elsewhere'));
    assert.throws(() => rmdirSync(at('d')), { code: 'ENOTEMPTY' });
    const [made, refused, ...more] = await trace.end();
    assert.equal(trace.child.exitCode, 0);
    assert.deepEqual(more, []);
    assert.ok(made && refused);
    const { operation, path, pid, user, state, error, fileset, mountPoint } = made;
    const expected = [
      'mkdir',
      'd/é',
      process.pid,
      'root',
      'done',
      null,
      FILESET,
      mounted.mountPoint,
    ];
    assert.deepEqual([operation, path, pid, user, state, error, fileset, mountPoint], expected);
    assert.ok(made.ms > 0 && made.ms < 10_000 && made.command !== '');
    assert.ok(Math.abs(Date.parse(made.time) - Date.now()) < 10_000);
    assert.deepEqual([refused.operation, refused.path, refused.error], ['rmdir', 'd', 'ENOTEMPTY']);
  });

  it('has lines that people read, several readers, and ends with Ctrl-C', async () => {
    const [all, errors] = [await tracing(FILESET), await tracing(mounted.mountPoint, '--errors')];
    writeFileSync(at('d/f'), 'five!');
    assert.throws(() => statSync(at('missing')));
    await all.until(/missing/);
    await errors.until(/missing/);
    for (const { child, ended } of [all, errors]) {
      child.kill('SIGINT');
      await ended;
      assert.equal(child.exitCode, 0);
    }
    const who = `by \\S.*\\[${process.pid}\\] root`;
    assert.match(
      all.stdout,
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{6} +[0-9.]+ ms {2}write +ok +${at('d/f')} {2}5 B {2}${who}$`,
        'm',
      ),
    );
    assert.match(errors.stdout, new RegExp(`lookup +ENOENT +${at('missing')} {2}${who}`));
    assert.doesNotMatch(errors.stdout, / ok /);
  });

  it('shows what waits for the permit, also where it did before, and how long it has waited', async () => {
    const { runDir } = mounted.host;
    const lento = new Channel(
      connect(socketPath(runDir, mounted.state.psdev, FILESET)),
      () => ({}),
    );
    await lento.request('gate', { state: 'absent', policy: 'write' });
    const program = spawn('mkdir', [at('later')], { cwd: '/' });
    const ended = once(program, 'close');
    const trace = await tracing('--json', '--op', 'mkdir');
    await trace.until(/waits/);
    await sleep(100);
    await lento.request('gate', { state: 'held', policy: 'write' });
    await ended;
    await trace.until(/done/);
    const [waits, done] = await trace.end('SIGTERM');
    assert.ok(waits && done);
    assert.deepEqual(
      [waits.state, waits.waitedFor, waits.path, waits.pid, waits.command],
      ['waits', 'permit', 'later', program.pid, 'mkdir'],
    );
    assert.deepEqual([done.state, done.waitedFor, done.error], ['done', 'permit', null]);
    assert.ok(done.waitedMs >= 100 && done.ms >= done.waitedMs, JSON.stringify(done));
    lento.close();
  });

  it('keeps no program waiting when it stops reading or is killed, and says what is missing', async () => {
    const trace = await tracing('--json', '--op', 'lookup');
    trace.child.kill('SIGSTOP');
    const worker = 'for (let i = 0; i < 16000; i++) fs.existsSync(process.argv[1] + "/none" + i)';
    const begun = performance.now();
    const program = spawn(process.execPath, ['-e', worker, mounted.mountPoint], { cwd: '/' });
    await once(program, 'close');
    assert.ok(performance.now() - begun < 20_000);
    trace.child.kill('SIGCONT');
    // What comes now may be dropped as well, until it has caught up.
    let markers = 0;
    while (!trace.stdout.includes('"path":"marker')) {
      assert.throws(() => statSync(at(`marker${++markers}`)));
      await sleep(50);
    }
    const lines = await trace.end('SIGINT');
    const dropped = lines.reduce(
      (sum, line) => sum + ('dropped' in line ? Number(line.dropped) : 0),
      0,
    );
    const shown = lines.filter((line) => 'operation' in line && line.path?.startsWith('none'));
    const missing = 16_000 - shown.length;
    assert.ok(missing > 0 && dropped >= missing && dropped <= missing + markers, `${missing}`);
    const killed = await tracing('--json');
    await killed.end('SIGKILL');
    assert.deepEqual(readdirSync(at('d')).sort(), ['f', 'é']);
  });

  it('ends when the fileset is unmounted, and is refused where nothing is mounted', async () => {
    const trace = await tracing();
    await mounted.unmount();
    await trace.until(/is not mounted any more/, 'stderr');
    await trace.ended;
    assert.equal(trace.child.exitCode, 0);
    const none = await izo(['trace', '--json'], { env: mounted.host.environment });
    assert.equal(none.code, 4);
    await mounted.mount();
  });

  it('refuses filters that are none', async () => {
    const { environment: env } = mounted.host;
    for (const args of [
      ['--op', 'fly'],
      ['--user', 'nobody-of-that-name'],
      ['--path', 'a//b'],
    ]) {
      const { code, stderr } = await izo(['trace', ...args], { env });
      assert.equal(code, 2, stderr);
    }
  });
});
