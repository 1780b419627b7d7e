import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/core/demo/host.js';
import { FILESET, until, useCluster } from '../support/cluster.js';
import { isRunning } from '../../src/core/system/processes.js';

const MIB = 2 ** 20;
const FILE_MIB = 10;
const LARGE_MIB = 64;
/** Where a transfer is cut, and what of it may be sent twice: what was in buffers, and what lento had not written yet. */
const CUT_MIB = 20;
const TWICE_MIB = 12;

describe('cluster: changes of large files', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  const make = (name: string, mib = FILE_MIB): string =>
    `head -c ${mib * MIB} /dev/urandom > $M/${name}`;
  const change = (name: string, atMib: number, kib = 1024): string =>
    `dd if=/dev/urandom of=$M/${name} bs=1K count=${kib} seek=$((${atMib} * 1024)) conv=notrunc status=none`;

  /** MiB on the wire while `act` is carried out and its outcome is carried over. */
  async function wireMib(writer: Host, act: () => Promise<unknown>): Promise<number> {
    const before = await cluster.wireBytes();
    await act();
    await cluster.equalAfter(writer);
    return ((await cluster.wireBytes()) - before) / MIB;
  }

  for (const side of ['client', 'server'] as const) {
    describe(`written on the ${side}`, () => {
      let writer: Host;
      let reader: Host;
      before(async () => {
        writer = cluster[side];
        reader = cluster.otherThan(writer);
        await cluster.on(writer, make(side));
        await cluster.equalAfter(writer);
      });

      it('one MiB inside costs one MiB on the wire', async () => {
        const mib = await wireMib(writer, () => cluster.on(writer, change(side, 6)));
        assert.ok(mib > 1 && mib < 1.1, `${mib} MiB`);
      });

      it('so do several changes that the other host has not seen yet', async () => {
        await reader.stopLento();
        await cluster.on(
          writer,
          `${change(side, 1, 500)}; ${change(side, 9, 300)}; ${change(side, 2, 200)}
           fallocate --punch-hole --offset 5M --length 100K $M/${side}
           printf end >> $M/${side}; ln $M/${side} $M/${side}-too; mv $M/${side} $M/${side}-moved`,
        );
        const mib = await wireMib(writer, async () => {
          await reader.startLento();
          await cluster.connected();
        });
        assert.ok(mib > 0.9 && mib < 1.3, `${mib} MiB`);
        await cluster.on(writer, `mv $M/${side}-moved $M/${side}; rm $M/${side}-too`);
      });

      it('who has the file open goes on reading the version that was there', async () => {
        await cluster.on(reader, `sha1sum < $M/${side} > $W/before`);
        const reading = cluster.on(
          reader,
          `exec 3< $M/${side}; touch $W/open
           until [ -e $W/go ]; do sleep 0.02; done
           sha1sum <&3 | cmp - $W/before; rm $W/open $W/go`,
        );
        await until('it is open', () => existsSync(join(cluster.work, 'open')));
        await cluster.on(writer, change(side, 3));
        await cluster.equalAfter(writer);
        await cluster.sh('touch $W/go');
        await reading;
      });

      it('presto killed while it puts them in place', async () => {
        const writing = cluster.on(
          writer,
          `for i in {1..10}; do ${change(side, 5, 1500)}; sleep 0.02; done`,
        );
        await sleep(50 + 100 * Math.random());
        const pid = cluster.prestoOf(reader);
        process.kill(pid, 'SIGKILL');
        await until('presto is gone', () => !isRunning(pid));
        await reader.mount(FILESET);
        await writing;
        await cluster.connected();
        await cluster.equalAfter(writer);
      });

      it('a transfer that is cut goes on where it was', async () => {
        // Who sends, or who receives, is killed.
        const killed = cluster.client;
        const mib = await wireMib(writer, async () => {
          const writing = cluster.on(writer, make('large', LARGE_MIB));
          await until('it is on its way', () => stagedBytes(reader) > CUT_MIB * MIB);
          await killed.stopLento('SIGKILL');
          assert.ok(stagedBytes(reader) < (LARGE_MIB - 10) * MIB, 'cut too late');
          await writing;
          await killed.startLento();
          await cluster.connected();
        });
        assert.ok(mib > LARGE_MIB && mib < LARGE_MIB + TWICE_MIB, `${mib} MiB`);
        await cluster.on(writer, 'rm $M/large');
      });
    });
  }

  it('what can be compressed is, where the configuration says so', async () => {
    const { client, server } = cluster;
    const fsetdb = join(client.configDir, 'fsetdb');
    const text = readFileSync(fsetdb, 'utf8');
    writeFileSync(fsetdb, text.replace('<fileset ', '<fileset compression="deflate" '));
    await client.stopLento();
    await client.startLento();
    await cluster.connected();
    const lines = (name: string) => () =>
      cluster.on(name === 'server' ? server : client, `seq 1200000 > $M/lines-${name}`);
    const fetched = await wireMib(server, lines('server'));
    assert.ok(fetched > 1 && fetched < 4, `${fetched} MiB`);
    const sent = await wireMib(client, lines('client'));
    assert.ok(sent > 7, `${sent} MiB to a host that wants them as they are`);
    writeFileSync(fsetdb, text);
  });

  function stagedBytes(host: Host): number {
    const stage = cluster.stageOf(host);
    const sizes = readdirSync(stage).map(
      (name) => statSync(join(stage, name), { throwIfNoEntry: false })?.size ?? 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }
});
