import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useCluster } from '../support/cluster.js';

const TYPESCRIPT = fileURLToPath(new URL('../../node_modules/typescript', import.meta.url));
const COMMITS = 700;

/** 700 commits, each with a blob, a tree and itself: loose objects, so that a clone copies thousands of files. */
const MAKE_REPOSITORY = `
  git init -q -b main $W/origin
  for ((i = 1; i <= ${COMMITS}; i++)); do
    echo "commit refs/heads/main"
    echo "committer Nobody <nobody@example.org> $((1000000000 + i)) +0000"
    echo "data 10"; printf 'change%04d' $i
    echo "M 100644 inline dir$((i % 20))/file$((i % 300))"
    echo "data 9"; printf 'text %04d' $i
  done | git -C $W/origin -c fastimport.unpackLimit=1000000 fast-import --quiet
  git -C $W/origin reset -q --hard
  git -C $W/origin count-objects`;

/** What a tree may have: names that are no text, all kinds of links, holes, and files of no and of many bytes. */
const MAKE_TREE = `
  mkdir -p $W/tree/{empty,deep/er/and/deep/er,'with space',modes}
  cd $W/tree
  for ((i = 0; i < 300; i++)); do echo "contents $i" > deep/er/file$i; done
  printf one > one; ln one deep/two; ln one 'with space/three'
  ln -s one link; ln -s ../../nowhere deep/dangling; ln -s "$(printf 'x%.0s' {1..1000})" long-link
  : > $'new\\nline'; echo x > $'\\xff\\xfe not \\x80 utf8'; echo y > ' '; echo z > '-rf'; echo q > 'quote"\\back'
  mkdir $'dir\\xc3'; echo x > $'dir\\xc3/\\xe4'; echo u > Ünïcödé; echo long > "$(printf 'n%.0s' {1..255})"
  for mode in 0000 0400 0755 1777 2755 4751 6711; do echo $mode > modes/$mode; chmod $mode modes/$mode; done
  chmod 1777 empty; chown 1234:5678 deep/er/file1; mkfifo fifo
  head -c 5242880 /dev/urandom > large
  truncate -s 3000000 sparse; printf data | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
  touch -d '1999-12-31 23:59:59.123456789' old deep/er
  tar -C $W -cf $W/tree.tar --format=posix --sparse tree`;

/** A package with a dependency that is a file: npm does all it does but download. */
const MAKE_PACKAGE = `
  mkdir $W/tiny $W/package; cd $W/tiny
  echo '{ "name": "tiny", "version": "1.0.0", "bin": { "tiny": "tiny.js" } }' > package.json
  printf '#!/usr/bin/env node\\nconsole.log("tiny runs");\\n' > tiny.js
  npm pack --silent --offline --pack-destination $W/package > $W/pack.log 2>&1
  cd $W/package
  echo '{ "name": "user", "version": "1.0.0", "dependencies": { "tiny": "file:tiny-1.0.0.tgz" } }' > package.json
  npm install --package-lock-only --offline --no-audit --no-fund > $W/lock.log 2>&1`;

const GIT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_COMMITTER_NAME: 'Nobody',
  GIT_COMMITTER_EMAIL: 'nobody@example.org',
};

describe('cluster: real programs', function () {
  this.timeout(90_000);
  const cluster = useCluster();

  before(async () => {
    const objects = await cluster.sh(MAKE_REPOSITORY, GIT);
    assert.ok(Number.parseInt(objects, 10) >= 2_000, objects);
    await cluster.sh(MAKE_TREE);
    await cluster.sh(MAKE_PACKAGE);
  });

  for (const side of ['server', 'client'] as const) {
    const other = side === 'server' ? 'client' : 'server';
    const where = () => {
      const [from, to] = [cluster[side], cluster[other]];
      return { from, to, env: { ...GIT, M: from.mountPoint, O: to.mountPoint, S: side } };
    };

    it(`git: clones on the ${side} what the ${other} finds whole`, async () => {
      const { from, env } = where();
      await cluster.sh('git clone -q $W/origin $M/clone-$S && git -C $M/clone-$S fsck --full', env);
      await cluster.equalAfter(from);
      const check =
        'git -C $O/clone-$S fsck --full --strict; git -C $O/clone-$S status --porcelain';
      assert.equal(await cluster.sh(check, env), '');
      const count = await cluster.sh('git -C $O/clone-$S rev-list --count HEAD', env);
      assert.equal(count, `${COMMITS}`);
    });

    it(`git: works on the ${other} in what the ${side} has cloned`, async () => {
      const { to, env } = where();
      await cluster.sh(
        `cd $O/clone-$S && git gc -q && git checkout -q -b topic HEAD~300 && git merge -q main &&
         git checkout -q HEAD~1 && git fsck --full`,
        env,
      );
      await cluster.equalAfter(to);
    });

    it(`tar: unpacks on the ${side} a tree with everything`, async () => {
      const { from, to, env } = where();
      await cluster.sh('mkdir $M/tar-$S && tar -C $M/tar-$S -xpf $W/tree.tar', env);
      await cluster.equalAfter(from);
      for (const host of [from, to]) {
        const copy = join(host.mountPoint, `tar-${side}`, 'tree');
        const { files } = await cluster.equal(join(cluster.work, 'tree'), copy);
        assert.ok(files > 300);
      }
    });

    it(`npm ci: installs on the ${side} what runs on the ${other}`, async () => {
      const { from, env } = where();
      await cluster.sh(
        'cp -a $W/package $M/npm-$S && cd $M/npm-$S && npm ci --offline --no-audit --no-fund',
        env,
      );
      await cluster.equalAfter(from);
      assert.equal(await cluster.sh('cd $O/npm-$S && node_modules/.bin/tiny', env), 'tiny runs');
    });

    it(`cp -a: copies a large package on the ${side}, rm -r takes it away on the ${other}`, async () => {
      const { from, to, env } = where();
      await cluster.sh('cp -a $T $M/ts-$S', { ...env, T: TYPESCRIPT });
      const { files } = await cluster.equalAfter(from);
      assert.ok(files > 100);
      const version = await cluster.sh('node $O/ts-$S/bin/tsc --version', env);
      assert.match(version, /^Version/);
      await cluster.sh('rm -r $O/ts-$S', env);
      await cluster.equalAfter(to);
    });
  }
});
