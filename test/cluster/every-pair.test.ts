import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const PAIRS = fileURLToPath(new URL('../support/pairs.mjs', import.meta.url));

/** Links with long targets, made and removed: log that is about nothing in the tree. */
const CHURN = `
  const { symlinkSync, unlinkSync } = require('node:fs');
  for (let i = 0; i < 900; i++) {
    symlinkSync('x'.repeat(4000), process.argv[1]);
    unlinkSync(process.argv[1]);
  }`;

/** With 1 each of the tests has all pairs. A prime other than their root, so that all acts are among them on both sides. */
const STEP = Number(process.env['IZO_PAIRS_STEP'] ?? 17);

/** By what the client knows of what the server did, and by what decides then. */
const WAYS = [
  { from: 'its log', policy: 'keep-both' },
  { from: 'its log', policy: 'client' },
  { from: 'its tree', policy: 'keep-both' },
] as const;

WAYS.forEach(({ from, policy }, index) => {
  describe(`cluster: whatever a client and its server did to the same while apart, by ${from}, ${policy}`, function () {
    this.timeout(120_000);
    const cluster = useCluster('256M');

    before(() => {
      const limits = from === 'its tree' ? 'history="1M" backlog="1M"' : '';
      for (const { configDir, lento } of [cluster.server, cluster.client]) {
        const path = join(configDir, 'fsetdb');
        const text = readFileSync(path, 'utf8');
        writeFileSync(path, text.replace('<fileset ', `<fileset conflicts="${policy}" ${limits} `));
        lento?.kill('SIGHUP');
      }
    });

    const some = { STEP: `${STEP}`, FROM: `${index}` };
    const pairs = (host: Host, what: string): Promise<string> =>
      cluster.on(host, `node ${PAIRS} ${what} $M/pairs`, some);

    async function lines(...roots: readonly string[]): Promise<Set<string>> {
      const text = await cluster.sh(`node ${PAIRS} lines ${roots.join(' ')}`);
      return new Set(JSON.parse(text) as string[]);
    }

    async function firstInLog({ runDir, name }: Host): Promise<number> {
      return (await askStatus(runDir, name)).filesets[0]?.log?.first ?? 0;
    }

    it('makes them equal, and nothing that either had at the end is lost', async () => {
      const { server, client } = cluster;
      const trees = [server, client].map(({ mountPoint }) => join(mountPoint, 'pairs'));
      await pairs(server, 'furnish');
      await cluster.equalAfter(server);
      await client.stopLento();
      await Promise.all([pairs(server, 'server'), pairs(client, 'client')]);
      if (from === 'its tree') {
        const before = await firstInLog(server);
        await cluster.on(server, 'node -e "$CHURN" $M/churn', { CHURN });
        await until('the log is trimmed', async () => (await firstInLog(server)) > before);
      }
      const [atServer, atClient] = [await lines(trees[0] ?? ''), await lines(trees[1] ?? '')];
      await client.startLento();
      await cluster.connected();
      await cluster.equalAfterBoth();
      const log = readFileSync(client.logPath, 'utf8');
      assert.equal(/its whole tree is taken/.test(log), from === 'its tree');
      const store = join(cluster.mountedOn(client).lowerPath, '.intermezzo', FILESET, 'conflicts');
      // What only one side has of the beginning has been removed, or written over, by who had seen it.
      const wanted = [...new Set([...atServer, ...atClient])].filter(
        (line) => !line.startsWith('base') || (atServer.has(line) && atClient.has(line)),
      );
      assert.ok(wanted.length * STEP > 2000, `${wanted.length} lines`);
      const lost = async (): Promise<string[]> => {
        const left = await lines(...trees, store);
        return wanted.filter((line) => !left.has(line));
      };
      assert.deepEqual(await lost(), []);
      const resolve = ['conflicts', 'resolve', '--all', '--keep'];
      // Not where a directory is in the way: that is for who knows what is in it.
      await client.izo([...resolve, 'server'], { okCodes: [6] });
      await client.izo([...resolve, 'both']);
      await client.izo(['conflicts', 'list']);
      await cluster.equalAfter(client);
      assert.deepEqual(await lost(), [], 'lost by resolving');
    });
  });
});
