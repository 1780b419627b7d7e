import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { FILESET, useCluster } from '../support/cluster.js';

/** How long the daemons are watched, and how much of it they may be busy. */
const WATCH_MS = 3_000;
const BUSY_MS = 300;
/** Of times in /proc/PID/stat, on every Linux that Node runs on. */
const TICK_MS = 10;

/** User and system time of a process (proc_pid_stat(5)). */
function busyMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

interface Status {
  filesets: { presto: { cache: string } }[];
}

describe('cluster: the file system of a cache fails and turns read-only', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  /** What ext4 does when it finds damage, for which it has a switch. */
  async function fail(): Promise<void> {
    const [state] = listMounted(cluster.server.runDir);
    assert.ok(state?.loopDevice !== undefined);
    // What is not on the disk is lost, as in a power cut: the client would have records that the server has not.
    await execa('sync', ['--file-system', state.lowerPath]);
    writeFileSync(`/sys/fs/ext4/${basename(state.loopDevice)}/trigger_fs_error`, 'a test');
  }

  async function status(): Promise<{ code: number; text: string; cache: string | undefined }> {
    const okCodes = [0, 3];
    const { code, stdout } = await cluster.server.izo(['status'], { okCodes });
    const json = await cluster.server.izo(['status', '--json'], { okCodes });
    const { filesets } = JSON.parse(json.stdout) as Status;
    return { code, text: stdout, cache: filesets[0]?.presto.cache };
  }

  /** Who tries to change something here is told so, whichever way. */
  const REFUSED = [
    'echo x > $M/new',
    'echo x >> $M/dir/old',
    'mkdir $M/more',
    'rm $M/dir/old',
    'mv $M/dir/old $M/dir/new',
    'chmod 600 $M/dir/old',
    'truncate -s 1 $M/dir/old',
    'ln -s x $M/link',
  ];

  it('refuses updates, reads on, says so, rests; and goes on when it is mounted again', async () => {
    const { server } = cluster;
    await cluster.on(server, 'mkdir $M/dir; echo before > $M/dir/old');
    await cluster.equalAfter(server);
    const sound = await status();
    assert.deepEqual([sound.code, sound.cache], [0, 'writable']);

    await fail();
    const failed = await status();
    assert.deepEqual([failed.code, failed.cache], [3, 'failed'], 'before anybody has written');
    assert.match(failed.text, /ERROR +the cache has become read-only/);
    for (const update of REFUSED) {
      const told = await cluster.on(server, `! { ${update}; } 2>&1`);
      assert.match(told, /Read-only file system/, update);
    }
    assert.equal(await cluster.on(server, 'cat $M/dir/old; ls $M'), 'before\ndir');

    const pids = [cluster.prestoOf(server), server.lento?.pid ?? 0];
    const before = pids.map(busyMs);
    await sleep(WATCH_MS);
    const busy = pids.map((pid, index) => busyMs(pid) - (before[index] ?? 0));
    assert.ok(Math.max(...busy) < BUSY_MS, `presto and lento were busy for ${busy.join(', ')} ms`);
    const log = readFileSync(join(server.runDir, 'intermezzo0', `${FILESET}.log`), 'utf8');
    assert.equal(log.split('the cache has become read-only').length - 1, 1);

    await server.izo(['umountizo', server.mountPoint]);
    await server.mount(FILESET);
    await cluster.connected();
    assert.equal((await status()).cache, 'writable');
    await cluster.on(server, 'echo after >> $M/dir/old; mkdir $M/more');
    await cluster.equalAfter(server);
    await cluster.on(cluster.client, 'echo there >> $M/dir/old');
    await cluster.equalAfter(cluster.client);
    assert.equal(await cluster.on(server, 'cat $M/dir/old'), 'before\nafter\nthere');
  });
});
