import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebugLevelOf } from '../../src/core/cli/debug-levels.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { izo } from './run.js';

describe('izo debug', function () {
  this.timeout(30_000);
  let mounted: MountedHost;

  before(async () => {
    mounted = await MountedHost.make('16M');
    const { configDir } = mounted.host;
    const write = (file: string, text: string): void =>
      writeFileSync(join(configDir, file), `${text}\n`);
    write('sysid', '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.79" />');
    write(
      'serverdb',
      '<serverdb><server name="muskox" ipaddr="127.0.0.79" port="2279" /></serverdb>',
    );
    write('fsetdb', `<fsetdb><fileset name="${FILESET}" servername="muskox" /></fsetdb>`);
    await mounted.mount();
    await mounted.host.startLento(['--debuglevel=0']);
  });
  after(() => mounted.remove());

  async function levels(...args: string[]): Promise<[program: string, level: number][]> {
    const { environment: env } = mounted.host;
    const { code, stdout, stderr } = await izo(['debug', ...args, '--json'], { env });
    assert.equal(code, 0, stderr);
    const answer = JSON.parse(stdout) as { levels: DebugLevelOf[] };
    for (const { configured } of answer.levels) assert.equal(configured, 0);
    return answer.levels.map(({ program, level }) => [program, level]);
  }

  const logs = (): { lento: string; presto: string } => ({
    lento: readFileSync(mounted.host.logPath, 'utf8'),
    presto: readFileSync(join(mounted.host.runDir, mounted.state.psdev, `${FILESET}.log`), 'utf8'),
  });

  /** What an update puts into the logs: after the program has its answer. `awaited`: what is to be there in the end. */
  async function logged(name: string, awaited = /^/): Promise<{ lento: string; presto: string }> {
    const before = logs();
    const path = join(mounted.mountPoint, name);
    mkdirSync(path);
    rmdirSync(path);
    for (let tries = 0; ; tries++) {
      await sleep(100);
      const after = logs();
      const lento = after.lento.slice(before.lento.length);
      const presto = after.presto.slice(before.presto.length);
      if (awaited.test(presto + lento) || tries === 50) return { lento, presto };
    }
  }

  it('shows what it is, and changes what is logged, of one and of all', async () => {
    assert.deepEqual(await levels(), [['lento', 0], ['presto', 0]]); // prettier-ignore
    assert.deepEqual(await logged('a'), { lento: '', presto: '' });

    assert.deepEqual(await levels(mounted.mountPoint, '100'), [['presto', 100]]);
    const operations = await logged('b', /rmdir \/b by/);
    assert.equal(operations.lento, '');
    assert.match(
      operations.presto,
      /^\S+ trace presto shared: mkdir \/b by \S+\[\d+\] 0:0 ok in /m,
    );

    assert.deepEqual(await levels('lento', '100'), [['lento', 100]]);
    assert.match((await logged('c', /: step /)).lento, / trace lento muskox: step /);

    assert.deepEqual(await levels('1'), [['lento', 1], ['presto', 1]]); // prettier-ignore
    const many = await logged('d', /hears/);
    assert.doesNotMatch(many.presto + many.lento, / trace /);

    assert.deepEqual(await levels('--reset'), [['lento', 0], ['presto', 0]]); // prettier-ignore
    assert.deepEqual(await logged('e'), { lento: '', presto: '' });
    assert.match(logs().presto, / info presto shared: the debug level is 100 now; it was 0$/m);
  });

  it('has what happens between lento and presto in the logs at level 1', async () => {
    await levels('1');
    await mounted.host.stopLento();
    await mounted.host.startLento(['--debuglevel=1']);
    mkdirSync(join(mounted.mountPoint, 'd'));
    const { environment: env } = mounted.host;
    const { stdout } = await izo(['debug'], { env });
    assert.match(stdout, /^lento +muskox +1 +1 +-$/m);
    assert.match(stdout, new RegExp(`^presto +shared +1 +0 +${mounted.mountPoint}$`, 'm'));
    const { lento, presto } = logs();
    assert.match(presto, / debug presto shared: lento has connected$/m);
    assert.match(presto, / debug presto shared: lento says: \w+/);
    assert.match(lento, / debug lento muskox: shared hears type=log-grew end=\d+$/m);
  });

  it('begins with the level that the mount was given', async () => {
    await mounted.unmount();
    await mounted.mount('debuglevel=100');
    const { stdout } = await izo(['debug', '--json'], { env: mounted.host.environment });
    const { levels: now } = JSON.parse(stdout) as { levels: DebugLevelOf[] };
    const presto = now.find(({ program }) => program === 'presto');
    assert.deepEqual([presto?.level, presto?.configured], [100, 100]);
    assert.match((await logged('f', /rmdir \/f by/)).presto, / trace presto shared: mkdir \/f by /);
  });

  it('refuses levels that are none, and says when nothing runs', async () => {
    const { environment: env } = mounted.host;
    for (const args of [['lento', 'x'], ['lento', '-1'], ['9999999999'], ['1', '--reset']]) {
      assert.equal((await izo(['debug', ...args], { env })).code, 2, args.join(' '));
    }
    assert.equal((await izo(['debug', 'nothing', '1'], { env })).code, 4);
    const none = { ...env, IZO_RUN_DIR: join(mounted.root, 'empty') };
    assert.equal((await izo(['debug', '--json'], { env: none })).code, 4);
  });
});
