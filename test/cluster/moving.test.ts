import assert from 'node:assert/strict';
import { useCluster } from '../support/cluster.js';

const SECONDS = 6;
const DIRECTORIES = 4;

/** Moves directories into each other and out again at random, and prints what the system calls came to. */
const MOVE = `
  use Time::HiRes qw(time sleep);
  my ($root, $seed) = @ARGV;
  srand($seed);
  my %results;
  for (my $end = time + ${SECONDS}; time < $end; sleep(rand(0.01))) {
    my ($one, $other) = map { "d" . int(rand ${DIRECTORIES}) } 1, 2;
    my ($from, $to) = ("$root/$one", "$root/$other/$one");
    ($from, $to) = ($to, $from) if rand() < 0.5;
    mkdir "$root/$one" if rand() < 0.2;
    rmdir "$root/$other" if rand() < 0.05;
    $results{rename($from, $to) ? "moved" : "$!"}++;
  }
  print join "\\n", keys %results;`;

describe('cluster: both hosts move the same directories', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  it('gives programs no answers but those that one disk would give', async () => {
    await cluster.sh(`for ((i = 0; i < ${DIRECTORIES}; i++)); do mkdir $A/d$i; done`);
    await cluster.equalAfter(cluster.server);
    const movers = [cluster.server, cluster.client].flatMap((host, side) =>
      [1, 2].map((seed) => cluster.on(host, `perl -e "$MOVE" $M ${2 * side + seed}`, { MOVE })),
    );
    const results = new Set((await Promise.all(movers)).flatMap((text) => text.split('\n')));
    assert.ok(results.delete('moved'));
    const usual = ['Directory not empty', 'Invalid argument', 'No such file or directory'];
    assert.deepEqual([...results].sort(), usual);
    await cluster.equalAfterBoth();
  });

  it('leaves a program in the directory that was moved under it', async () => {
    await cluster.sh('rm -rf $A/d*; mkdir $A/here $A/there');
    await cluster.equalAfter(cluster.server);
    await cluster.sh(`
      cd $B/here; mv $A/here $A/there/here
      for ((i = 0; i < 500; i++)); do [ -e $B/there/here ] && break; sleep 0.01; done
      echo from inside > file; cat file > copy; ls > list`);
    await cluster.equalAfterBoth();
    const seen = await cluster.sh('cat $A/there/here/copy $B/there/here/list');
    assert.equal(seen, 'from inside\ncopy\nfile\nlist');
  });
});
