import assert from 'node:assert/strict';
import { execa } from 'execa';
import { useCluster } from '../support/cluster.js';

const SAMPLES = 200;
const MEDIAN_MS = 20;

/**
 * Writes files into argv[1] one by one, and looks into argv[2] until each is readable. Prints milliseconds. It looks
 * without a pause: whatever the kernel is told while it takes in what it was told before must not be lost.
 */
const MEASURE = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  const [from, to, count] = process.argv.slice(1);
  const contents = Buffer.alloc(1024, 'x');
  const samples = [];
  const isThere = (path) => {
    try { return readFileSync(path).equals(contents); } catch { return false; }
  };
  for (let i = 0; i < Number(count); i++) {
    const begin = performance.now();
    writeFileSync(join(from, 'sample' + i), contents);
    while (!isThere(join(to, 'sample' + i))) {
      if (performance.now() - begin > 10_000) throw new Error('sample' + i + ' does not come');
      await new Promise((resolve) => setImmediate(resolve));
    }
    samples.push(performance.now() - begin);
  }
  process.stdout.write(JSON.stringify(samples));
`;

describe('cluster: latency', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  for (const direction of ['server to client', 'client to server'] as const) {
    it(`shows a small file on the other host within ${MEDIAN_MS} ms: ${direction}`, async () => {
      const from = direction === 'server to client' ? cluster.server : cluster.client;
      const to = cluster.otherThan(from);
      await cluster.on(from, `mkdir "$M/${from.name}"`);
      await cluster.equalAfter(from);
      const directories = [from, to].map((host) => `${host.mountPoint}/${from.name}`);
      const args = ['--input-type=module', '-e', MEASURE, ...directories, `${SAMPLES}`];
      const { stdout } = await execa(process.execPath, args, { timeout: 40_000, cwd: '/' });
      const samples = (JSON.parse(stdout) as number[]).sort((a, b) => a - b);
      const at = (p: number) => samples[Math.floor(p * (samples.length - 1))]!;
      process.stdout.write(
        `  latency, ${direction}: p50 ${at(0.5).toFixed(2)} ms, p95 ${at(0.95).toFixed(2)} ms\n`,
      );
      await cluster.equalAfter(from);
      assert.ok(at(0.5) < MEDIAN_MS, `the median is ${at(0.5)} ms`);
    });
  }
});
