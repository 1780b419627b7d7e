import assert from 'node:assert/strict';
import { useCluster } from '../support/cluster.js';

const TURNS = 50;
const FILES = 300;

describe('cluster: the permit passes from host to host', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  it(`loses nothing of two hosts that append to one file in turn, ${TURNS} times each`, async () => {
    await cluster.sh(`
      for ((i = 0; i < ${TURNS}; i++)); do
        echo "A$i" >> $A/turns; echo "B$i" >> $B/turns
      done`);
    await cluster.equalAfter(cluster.client);
    const expected = Array.from({ length: TURNS }, (_, i) => `A${i}\nB${i}`).join('\n');
    for (const host of [cluster.server, cluster.client]) {
      assert.equal(await cluster.on(host, 'cat $M/turns'), expected, host.name);
    }
  });

  it('sees what the other has closed before it writes itself', async () => {
    await cluster.sh(`
      echo 0 > $A/counter
      for ((i = 0; i < ${TURNS}; i++)); do
        for m in $A $B; do
          : > $m/mine-$i-\${#m}  # asks for the permit: from then on nothing of the other is missing
          n=$(cat $m/counter); echo $((n + 1)) > $m/counter
        done
      done`);
    await cluster.equalAfter(cluster.client);
    assert.equal(await cluster.sh('cat $A/counter'), `${2 * TURNS}`);
  });

  it('lets two busy writers in directories of their own both get on', async () => {
    const write = (side: string) =>
      `mkdir $${side}/busy-${side}
       for ((i = 0; i < ${FILES}; i++)); do echo $i > $${side}/busy-${side}/$i; echo $EPOCHREALTIME; done`;
    const [a, b] = await Promise.all([cluster.sh(write('A')), cluster.sh(write('B'))]);
    const times = (text: string) => text.split('\n').map(Number);
    const [ofA, ofB] = [times(a), times(b)];
    // Neither waits until the other has done.
    assert.ok(ofA[0]! < ofB.at(-1)! && ofB[0]! < ofA.at(-1)!);
    await cluster.equalAfterBoth();
    const count = await cluster.sh('find $A/busy-* $B/busy-* -type f | wc -l');
    assert.equal(Number(count), 4 * FILES);
  });

  it('lets both make files in one directory at once', async () => {
    await cluster.sh('mkdir $A/common');
    await cluster.equalAfter(cluster.server);
    const write = (side: string) =>
      `for ((i = 0; i < ${FILES}; i++)); do echo ${side}$i > $${side}/common/${side}$i; done`;
    await Promise.all([cluster.sh(write('A')), cluster.sh(write('B'))]);
    await cluster.equalAfterBoth();
    const names = await cluster.sh('cat $B/common/* | sort -u | wc -l');
    assert.equal(Number(names), 2 * FILES);
  });

  it('gives a name that both want at once to one of them', async () => {
    const take = (side: string) =>
      `won=0; for ((i = 0; i < 50; i++)); do
         mkdir $${side}/lock$i 2>> $W/lost && won=$((won + 1)); done; echo $won`;
    const [a, b] = await Promise.all([cluster.sh(take('A')), cluster.sh(take('B'))]);
    assert.equal(Number(a) + Number(b), 50);
    await cluster.equalAfterBoth();
  });

  it('takes appends of both at once to one file that both keep open', async () => {
    const append = (side: string) =>
      `exec 3>> $${side}/log; for ((i = 0; i < 100; i++)); do echo ${side}$i >&3; done`;
    await Promise.all([cluster.sh(append('A')), cluster.sh(append('B'))]);
    await cluster.equalAfterBoth();
    const lines = await cluster.sh('sort -u $B/log | wc -l; wc -l < $A/log');
    assert.equal(lines, '200\n200');
  });
});
