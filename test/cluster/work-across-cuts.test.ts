import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { checkWork, makeTar, WORK } from '../soak/programs.js';
import { until, useCluster } from '../support/cluster.js';

/** So many steps the programs on each host have done, at least, between two points at which the hosts are in step. */
const STEPS = 8;
const WORK_MS = 60_000;

describe('cluster: git, sqlite, editors and tar at work on both hosts', function () {
  this.timeout(90_000);
  const cluster = useCluster();
  let tar = '';

  before(async () => {
    mkdirSync(join(cluster.work, 'tar'));
    tar = await makeTar(join(cluster.work, 'tar'));
  });

  const notesAt = (host: Host) => join(cluster.work, `notes-${host.name}`);
  const notesOf = (host: Host) =>
    existsSync(notesAt(host)) ? readFileSync(notesAt(host), 'utf8') : '';
  const place = (on: Host, of: Host) => join(on.mountPoint, 'work', of.name);

  async function work(host: Host, seed: number): Promise<void> {
    const env = { P: place(host, host), NOTES: notesAt(host), SEED: `${seed}`, TAR: tar };
    const child = spawn('bash', ['-c', WORK], {
      cwd: cluster.work,
      env: { ...process.env, ...env, LC_ALL: 'C' },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const before = notesOf(host).split('\n').length;
    const isDone = () => notesOf(host).split('\n').length >= before + STEPS;
    await until(`${host.name} has done its work`, isDone, WORK_MS);
    child.kill('SIGTERM');
    await ended;
  }

  /** Both work at the same time; then everything they have noted is whole on both. */
  async function inStep(seed: number, meanwhile: () => Promise<void>): Promise<void> {
    const { server, client } = cluster;
    await Promise.all([server, client].map((host) => work(host, seed)));
    await meanwhile();
    await cluster.connected();
    for (const host of [client, server, client]) await cluster.sync(host);
    for (const on of [server, client]) {
      for (const of of [server, client]) {
        const wrong = await checkWork(place(on, of), join(cluster.work, 'copy'), notesOf(of));
        assert.deepEqual(wrong, [], `of ${of.name} on ${on.name}`);
      }
    }
    await cluster.equal();
  }

  const nothing = () => Promise.resolve();

  it('leave whole repositories and databases on the other host whenever the two are in step', async () => {
    for (const seed of [1, 2]) await inStep(seed, nothing);
  });

  it('and where they worked while the hosts were cut off', async function () {
    if (!cluster.separated) this.skip();
    const { client } = cluster;
    await cluster.cutOff();
    await inStep(3, () => cluster.setLink(client, 'up'));
    const { stdout } = await client.izo(['conflicts', 'list', '--all']);
    assert.equal(stdout.trim(), 'no conflicts');
    await inStep(4, nothing);
  });
});
