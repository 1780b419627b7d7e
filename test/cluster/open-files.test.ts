import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until, useCluster } from '../support/cluster.js';

/** By its address: scripts run in `/`. */
const TSX = import.meta.resolve('tsx');
const WORKER = fileURLToPath(new URL('../support/mapping-worker.ts', import.meta.url));

describe('cluster: files that are open while the other host changes them', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(() =>
    cluster.sh('head -c 3000000 /dev/urandom > $W/old; head -c 2000000 /dev/urandom > $W/new'),
  );

  const flag = (name: string) => join(cluster.work, name);
  const wait = (name: string) => `while [ ! -e $W/${name} ]; do sleep 0.02; done`;

  for (const how of ['written anew', 'renamed over', 'removed'] as const) {
    for (const side of ['server', 'client'] as const) {
      it(`reads the old version to its end, ${how} on the ${side}; who opens then gets the new one`, async () => {
        const writer = cluster[side];
        const reader = cluster.otherThan(writer);
        const tag = `${how.replaceAll(' ', '-')}-${side}`;
        await cluster.on(writer, `cat $W/old > $M/${tag}`);
        await cluster.equalAfter(writer);
        const reading = cluster.on(
          reader,
          `exec 3< $M/${tag}; head -c 10 <&3 > $W/${tag}.read; touch $W/${tag}.open
           ${wait(`${tag}.go`)}; cat <&3 >> $W/${tag}.read; head -c 10 /proc/self/fd/3 | cmp -n 10 - $W/old
           cmp $W/old $W/${tag}.read; wc -c < $W/${tag}.read`,
        );
        await until('it is open', () => existsSync(flag(`${tag}.open`)));
        const change = {
          'written anew': `cat $W/new > $M/${tag}`,
          'renamed over': `cat $W/new > $M/${tag}.new; mv $M/${tag}.new $M/${tag}`,
          removed: `rm $M/${tag}`,
        };
        await cluster.on(writer, change[how]);
        await cluster.equalAfter(writer);
        if (how !== 'removed') {
          const anew = await cluster.on(reader, `cmp $W/new $M/${tag} && echo new`);
          assert.equal(anew, 'new');
        }
        writeFileSync(flag(`${tag}.go`), '');
        assert.equal(await reading, '3000000');
      });
    }
  }

  for (const side of ['server', 'client'] as const) {
    it(`reads on the ${side} what the other writes to a file of two names, which is not replaced`, async () => {
      const reader = cluster[side];
      const writer = cluster.otherThan(reader);
      const tag = `two-names-${side}`;
      await cluster.on(writer, `echo one > $M/${tag}; ln $M/${tag} $M/${tag}.link`);
      await cluster.equalAfter(writer);
      const reading = cluster.on(
        reader,
        `exec 3< $M/${tag}; cat <&3; stat -Lc %s /proc/self/fd/3; touch $W/${tag}.open; ${wait(`${tag}.go`)}
         cat <&3; stat -Lc %s /proc/self/fd/3; cat /proc/self/fd/3`,
      );
      await until('it is open', () => existsSync(flag(`${tag}.open`)));
      await cluster.on(writer, `echo two >> $M/${tag}.link`);
      await cluster.equalAfter(writer);
      writeFileSync(flag(`${tag}.go`), '');
      assert.equal(await reading, 'one\n4\ntwo\n8\none\ntwo');
    });

    it(`does on the ${side} all to a file whose last name the other has removed`, async () => {
      const first = cluster[side];
      const second = cluster.otherThan(first);
      const tag = `nameless-${side}`;
      await cluster.on(first, `echo contents > $M/${tag}`);
      await cluster.equalAfter(first);
      const working = cluster.on(
        first,
        `exec 3<> $M/${tag} 4< $M/${tag}; touch $W/${tag}.open; ${wait(`${tag}.go`)}
         F=/proc/self/fd/3; echo more >&3; truncate -s 7 $F; chmod 751 $F; touch -d @5 $F; sync -f $M
         stat -Lc '%s %a %Y %h' $F; cat <&4`,
      );
      await until('it is open', () => existsSync(flag(`${tag}.open`)));
      await cluster.on(second, `rm $M/${tag}`);
      await cluster.equalAfter(second);
      writeFileSync(flag(`${tag}.go`), '');
      assert.equal(await working, '7 751 5 0\nmore\nnt');
      await cluster.equalAfter(first);
    });

    it(`brings what is written on the ${side} to memory only, also while the other may write`, async () => {
      const first = cluster[side];
      const second = cluster.otherThan(first);
      const tag = `memory-${side}`;
      await cluster.on(first, `head -c 4096 /dev/zero | tr '\\0' . > $M/${tag}`);
      await cluster.equalAfter(first);
      const mapping = cluster.on(first, `exec node --import ${TSX} ${WORKER} $M/${tag} $W/${tag}`);
      await until('it is mapped', () => existsSync(flag(`${tag}.mapped`)));
      await cluster.on(second, `echo B | dd of=$M/${tag} bs=1 seek=100 conv=notrunc status=none`);
      await cluster.equalAfter(second);
      assert.equal(await cluster.on(second, `head -c 2 $M/${tag}`), 'A.');
      writeFileSync(flag(`${tag}.go`), '');
      const found = `until [ "$(head -c 6 $M/${tag})" = A....C ]; do sleep 0.1; done; dd if=$M/${tag} bs=1 skip=100 count=1 status=none`;
      assert.equal(await cluster.on(second, found), 'B');
      writeFileSync(flag(`${tag}.end`), '');
      await mapping;
      await cluster.equalAfter(first);
    });

    it(`appends on the ${side} through a descriptor from before the other had its turn`, async () => {
      const first = cluster[side];
      const second = cluster.otherThan(first);
      const tag = `append-${side}`;
      const appending = cluster.on(
        first,
        `exec 3>> $M/${tag}; echo one >&3; touch $W/${tag}.1; ${wait(`${tag}.2`)}
         echo three >&3; echo four >&3`,
      );
      await until('one is written', () => existsSync(flag(`${tag}.1`)));
      await cluster.on(second, `echo two >> $M/${tag}`);
      writeFileSync(flag(`${tag}.2`), '');
      await appending;
      await cluster.equalAfter(first);
      for (const host of [first, second]) {
        assert.equal(await cluster.on(host, `cat $M/${tag}`), 'one\ntwo\nthree\nfour');
      }
    });

    it(`changes the other's new version by name on the ${side}: chmod, truncate, ln`, async () => {
      const first = cluster[side];
      const second = cluster.otherThan(first);
      const tag = `names-${side}`;
      await cluster.on(first, `mkdir $M/${tag}; for i in {1..20}; do echo $i > $M/${tag}/$i; done`);
      await cluster.equalAfter(first);
      for (let i = 1; i <= 20; i++) {
        // The second replaces the file, and has the permit while the first asks for it.
        await cluster.sh(
          `echo other${i} > $S/${tag}/${i}
           case $((${i} % 4)) in
             0) chmod 600 $F/${tag}/${i};;
             1) truncate -s 3 $F/${tag}/${i};;
             2) ln $F/${tag}/${i} $F/${tag}/link${i};;
             3) touch -d 2001-01-01 $F/${tag}/${i};;
           esac`,
          { F: first.mountPoint, S: second.mountPoint },
        );
      }
      await cluster.equalAfter(first);
      const all = await cluster.on(second, `cd $M/${tag}; stat -c '%n %a %s %h' 4 5 6`);
      assert.equal(all, '4 600 7 1\n5 644 3 1\n6 644 7 2');
    });
  }
});
