import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../src/core/demo/host.js';
import { until, useCluster } from '../support/cluster.js';

const COPY = fileURLToPath(new URL('../support/copy.mjs', import.meta.url));
const FILES = 1_200;

const MAKE_FILES = `
  mkdir $W/files; cd $W/files
  head -c 40000 /dev/urandom > $W/noise
  for ((i = 0; i < ${FILES}; i++)); do
    ((i % 50 == 0)) && mkdir $((i / 50))
    head -c $((i * 37 % 40000)) $W/noise > $((i / 50))/file$i
  done`;

describe('cluster: kill -9 in the middle of a copy', function () {
  this.timeout(90_000);
  const cluster = useCluster();

  before(() => cluster.sh(MAKE_FILES));

  const doneFile = (name: string) => join(cluster.work, `${name}.done`);

  function done(name: string): string[] {
    const file = doneFile(name);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  function copy(host: Host, name: string) {
    return cluster.start(`node ${COPY} $W/files $M/${name} ${doneFile(name)}`, {
      M: host.mountPoint,
    });
  }

  for (const daemon of ['presto', 'lento'] as const) {
    for (const victim of ['server', 'client'] as const) {
      for (const writing of ['server', 'client'] as const) {
        it(`${daemon} of the ${victim}, while the ${writing} writes`, async () => {
          const writer = cluster[writing];
          const name = `${daemon}-${victim}-${writing}`;
          const copying = copy(writer, name).then(
            () => true,
            () => false,
          );
          await until('the copy is in its middle', () => done(name).length > FILES / 3);
          await cluster.killAndRestart(cluster[victim], daemon);
          const succeeded = await copying;
          const closed = done(name);
          // Only the death of the writer's own presto may be seen by programs.
          assert.equal(succeeded, daemon !== 'presto' || victim !== writing);
          if (!succeeded) assert.ok(closed.length < FILES, 'killed too late');
          await cluster.on(
            writer,
            `cd $W/files; xargs sha1sum < ${doneFile(name)} > $W/sums
             cd $M/${name}; sha1sum --check --quiet $W/sums`,
          );
          await copy(writer, name);
          await cluster.connected();
          await cluster.equalAfter(writer);
          await cluster.on(writer, `diff -r $W/files $M/${name}; rm -r $M/${name}`);
        });
      }
    }
  }
});
