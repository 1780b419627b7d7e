import assert from 'node:assert/strict';
import { lchownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { verifyWith, type Verified } from '../../src/core/cli/verify.js';
import type { Host } from '../../src/core/demo/host.js';
import type { VerifyRequest } from '../../src/core/lento/verify/verifier.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { FILESET, useCluster } from '../support/cluster.js';

/** A tree with one of everything. */
const TREE = `
  mkdir -p $M/d/e "$M/d e" $M/many
  for i in $(seq 300); do echo $i > $M/many/$i; done
  echo one > $M/d/one; ln $M/d/one $M/d.first; ln -s one $M/d/link; mkfifo $M/d/pipe
  setfattr -n user.color -v red $M/d/one; setfacl -m u:7:rw $M/d/e
  head -c 3000000 /dev/urandom > $M/large; echo other > $M/d/e/other
`;

describe('cluster: izo verify', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  /** Where a host stores the fileset, beneath presto. */
  function lower({ runDir }: Host, path: string): string {
    const [state] = listMounted(runDir);
    assert.ok(state !== undefined);
    return join(state.lowerPath, path);
  }

  function verify(host: Host, wishes: Partial<VerifyRequest> = {}): Promise<Verified> {
    const target = { sysid: host.name, fileset: FILESET, host: cluster.otherThan(host).name };
    const request = { path: '', after: undefined, fast: false, ...wishes };
    const nobody = { progress: () => undefined, difference: () => undefined };
    return verifyWith(host.runDir, target, request, nobody);
  }

  /** What differs, a word for each. */
  const words = ({ differences }: Verified): string[] =>
    differences.map(({ path, what }) => `${path} ${what}`);

  before(async () => {
    await cluster.on(cluster.server, TREE);
    await cluster.sync(cluster.server);
  });

  for (const side of ['server', 'client'] as const) {
    it(`${side}: equal replicas are equal, all of them looked at`, async () => {
      const found = await verify(cluster[side]);
      assert.deepEqual(words(found), []);
      const names = Number(await cluster.on(cluster.server, 'find $M | wc -l'));
      assert.equal(found.entries, names);
      assert.ok(found.bytes > 3_000_000);
    });
  }

  it('says what was changed beneath presto, where, and both values; and changes nothing', async () => {
    const { server, client } = cluster;
    const one = lower(client, 'd/one');
    await cluster.sh('touch -r $ONE times; printf "onE\\n" > $ONE; touch -r times $ONE', {
      ONE: one,
    });
    rmSync(lower(client, 'many/17'));
    lchownSync(lower(client, 'd/link'), 5, 6);
    mkdirSync(lower(client, 'd e/more'));
    await execa('setfattr', ['-n', 'user.extra', '-v', 'x', lower(client, 'd/e/other')]);
    const before = await cluster.sh(
      `cd ${lower(client, '.')}; find . -not -path './.inter*' | sort | xargs -d '\\n' stat -c '%n %s %Z'`,
    );
    const found = await verify(server);
    const all = words(found);
    for (const each of [
      'd.first contents',
      'd/one contents',
      'd/link owner',
      'd e/more name',
      'd/e/other xattr user.extra',
      'many/17 name',
    ]) {
      assert.ok(all.includes(each), `${each}: ${all.join(', ')}`);
    }
    const owner = found.differences.find(({ what }) => what === 'owner');
    assert.deepEqual(owner, { path: 'd/link', what: 'owner', here: '0:0', there: '5:6' });
    const gone = found.differences.find(({ path }) => path === 'many/17');
    assert.deepEqual([gone?.here, gone?.there], ['file', 'absent']);
    const after = await cluster.sh(
      `cd ${lower(client, '.')}; find . -not -path './.inter*' | sort | xargs -d '\\n' stat -c '%n %s %Z'`,
    );
    assert.equal(after, before);
    assert.equal(readFileSync(one, 'latin1'), 'onE\n');
  });

  it('sees the same from the other side, in a part of the tree, and in lines', async () => {
    const { client } = cluster;
    const found = await verify(client, { path: 'many' });
    assert.deepEqual(words(found), ['many mtime', 'many/17 name']);
    const { stdout, code: exitCode } = await client.izo(['verify', FILESET, '--path', '/d/link/'], {
      okCodes: [3],
    });
    assert.equal(exitCode, 3);
    assert.match(
      stdout,
      new RegExp(`^d/link: owner: 5:6 here, 0:0 on ${cluster.server.name}$`, 'm'),
    );
  });

  it('--fast does not see what only a digest shows, and goes on where it is told to', async () => {
    const found = await verify(cluster.server, { fast: true, path: 'd/one' });
    assert.deepEqual(words(found), []);
    const rest = await verify(cluster.server, { after: 'many/98', path: 'many' });
    assert.deepEqual([rest.entries, words(rest)], [1, []]);
  });

  it('is not misled by what is on its way, written on both hosts meanwhile', async () => {
    const { server, client } = cluster;
    const busy = (host: Host): Promise<string> =>
      cluster.on(
        host,
        `mkdir $M/busy-${host.name}; cd $M/busy-${host.name}
         for i in $(seq 25); do echo $i > new$i; mv new$i $((i % 7)); chmod $((i % 7))00 $((i % 7)); done; rm 3`,
      );
    const writing = { on: true };
    const writers = Promise.all([busy(server), busy(client)]).finally(() => (writing.on = false));
    let runs = 0;
    do {
      for (const host of [server, client]) {
        const found = await verify(host);
        const wrong = words(found).filter((word) => word.startsWith('busy'));
        assert.deepEqual(wrong, []);
        runs++;
      }
    } while (writing.on);
    await writers;
    assert.ok(runs >= 2);
  });

  it('tells of nobody where nobody is connected', async () => {
    const { server, client } = cluster;
    await client.stopLento();
    await assert.rejects(server.izo(['verify', '--peer', client.name]), /not connected/);
    await assert.rejects(server.izo(['verify', '--peer', 'nobody']), /not among the other hosts/);
  });
});
