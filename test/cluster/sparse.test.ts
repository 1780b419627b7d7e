import assert from 'node:assert/strict';
import { useCluster } from '../support/cluster.js';

const SIZE = 2 ** 40;

describe('cluster: sparse files', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  for (const side of ['client', 'server'] as const) {
    it(`${side}: a file of a terabyte with a few bytes in it costs as much as those`, async () => {
      const writer = cluster[side];
      const other = cluster.otherThan(writer);
      await cluster.on(
        writer,
        `head -c 100000 /dev/urandom > $M/${side}
         truncate -s ${SIZE} $M/${side}
         printf middle | dd of=$M/${side} bs=1 seek=$((${SIZE} / 2 + 5)) conv=notrunc status=none
         head -c 100000 $M/${side} | sha256sum > $W/head-${side}`,
      );
      await cluster.sync(writer);
      const seen = await cluster.on(
        other,
        `stat -c %s $M/${side}; head -c 100000 $M/${side} | sha256sum | cmp - $W/head-${side}
         dd if=$M/${side} bs=1 skip=$((${SIZE} / 2 + 4)) count=8 status=none | od -An -c
         du -k $M/${side} | cut -f 1`,
      );
      const [size, middle = '', kib] = seen.split('\n');
      assert.equal(Number(size), SIZE);
      assert.equal(middle.replaceAll(' ', ''), '\\0middle\\0');
      assert.ok(Number(kib) < 1_000, `${kib} KiB on the disk`);
    });
  }
});
