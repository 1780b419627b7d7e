import assert from 'node:assert/strict';
import { useCluster } from '../support/cluster.js';

/** A program keeps a file open that loses the one name by which its host knows it, and has another one. */
describe('cluster: a file open by a name that is gone, with another name left', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  for (const side of ['server', 'client'] as const) {
    const through = '/proc/self/fd/3';
    const changes = {
      'its mode': `chmod 0640 ${through}`,
      'its times': `touch -d @1000000000 ${through}`,
      'an extended attribute': `setfattr -n user.k -v v ${through}`,
      'its size': `truncate -s 3 ${through}`,
      'its contents': 'echo more >&3',
      'a further name': `ln -L ${through} $M/c`,
    };
    for (const [what, change] of Object.entries(changes)) {
      for (const removedBy of ['itself', 'the other host'] as const) {
        it(`${what} is changed on the ${side}, the name removed by ${removedBy}`, async () => {
          const host = cluster[side];
          const other = cluster.otherThan(host);
          await cluster.on(other, 'rm -f $M/*; echo contents > $M/a; ln $M/a $M/b');
          await cluster.sync(other);
          const remover = removedBy === 'itself' ? host : other;
          await cluster.on(
            host,
            `exec 3<> $M/a
             rm $R/a
             for ((i = 0; i < 1000; i++)); do [ -e $M/a ] || break; sleep 0.01; done
             ${change}`,
            { R: remover.mountPoint },
          );
          await cluster.equalAfterBoth();
          const same = `stat -c %i $M/${what === 'a further name' ? 'c' : 'b'}; stat -c %i $M/b`;
          for (const each of [host, other]) {
            const [one, two] = (await cluster.on(each, same)).split('\n');
            assert.equal(one, two, each.name);
          }
        });
      }
    }
  }
});
