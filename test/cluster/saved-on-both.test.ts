import assert from 'node:assert/strict';
import type { Host } from '../../src/core/demo/host.js';
import { byClockAhead, clockAhead } from '../support/clocks.js';
import { FILESET, useCluster } from '../support/cluster.js';

/** How editors save: what a host does to `doc`, again and again; the last of its versions counts. */
const EDITORS = {
  'a new file is renamed over it': 'echo "$V" > .doc.swp; mv .doc.swp doc',
  'it is renamed, written anew, and the backup removed': 'mv doc doc~; echo "$V" > doc; rm doc~',
  'it is renamed to a backup that stays': 'mv -f doc doc~; echo "$V" > doc',
  'it is written in place': 'echo "$V" > doc',
} as const;
type Way = keyof typeof EDITORS;
const WAYS = Object.keys(EDITORS) as Way[];

/** Each way on both sides, and against each of the others on one. */
const PAIRS = WAYS.flatMap((ours, i) => WAYS.slice(i).map((theirs) => [ours, theirs] as const));

describe('cluster: documents are saved on both hosts while they are cut off', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  /** Several times each, so that what was saved before is no version that anybody wants. */
  async function save(host: Host, top: string, env: Record<string, string> = {}): Promise<void> {
    const who = host === cluster.client ? 'client' : 'server';
    const work = PAIRS.map(([ours, theirs], i) => {
      const act = EDITORS[who === 'server' ? ours : theirs];
      return `cd $M/${top}/${i}; for n in 1 2 3; do V="${who} $n"; ${act}; done`;
    });
    await cluster.on(host, work.join('\n'), env);
  }

  /** Both versions are there, and nothing else: the server's by its name. */
  async function checkBoth(top: string): Promise<void> {
    const look = `cd $M/${top}; for ((i = 0; i < ${PAIRS.length}; i++)); do
      cd $i; echo $(cat doc doc.conflict-*) $(ls -A | grep -cv '^doc'); cd ..; done`;
    for (const host of [cluster.server, cluster.client]) {
      const found = (await cluster.on(host, look)).split('\n');
      for (const [i, [ours, theirs]] of PAIRS.entries()) {
        assert.equal(found[i], 'server 3 client 3 0', `server: ${ours}; client: ${theirs}`);
      }
    }
  }

  async function collide(top: string, client: Record<string, string> = {}): Promise<void> {
    const directories = PAIRS.map((_, i) => `$M/${top}/${i}`).join(' ');
    await cluster.on(
      cluster.server,
      `mkdir -p ${directories}; for d in ${directories}; do echo base > $d/doc; done`,
    );
    await cluster.equalAfter(cluster.server);
    await cluster.cutOff();
    await save(cluster.client, top, client);
    await save(cluster.server, top);
    await cluster.setLink(cluster.client, 'up');
    await cluster.connected();
    await cluster.on(cluster.client, `echo over > $M/${top}/over`);
    await cluster.equalAfter(cluster.client);
    await checkBoth(top);
  }

  it('both versions are kept, however editors save', () => collide('same-time'));

  for (const hours of [9, -9]) {
    const when = hours > 0 ? `${hours} hours ahead` : `${-hours} hours behind`;
    it(`also where the clock of the client is ${when}; of versions made in turn the last one counts`, async () => {
      const { client, server } = cluster;
      await client.stopLento();
      await client.izo(['umountizo', client.mountPoint]);
      const checked = await byClockAhead(hours, async () => {
        await client.mount(FILESET);
        await client.startLento();
        await cluster.connected();
        return client.izo(['config-check', '--peers', '--json'], { okCodes: [3] });
      });
      assert.match(checked.stdout, /"code": "clock-differs"/);
      await collide(`by-clock${hours}`, clockAhead(hours));
      for (const [host, text] of [
        [client, 'one'],
        [server, 'two'],
        [client, 'three'],
      ] as const) {
        const env = host === client ? clockAhead(hours) : {};
        await cluster.on(host, `echo ${text} > $M/turns; touch $M/turns $M`, env);
        await cluster.equalAfter(host);
        assert.equal(await cluster.on(cluster.otherThan(host), 'cat $M/turns'), text);
      }
    });
  }
});
