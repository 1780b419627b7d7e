import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A host with a /usr, /etc and /var/lib of its own, for as long as the script runs: what it writes there goes to a file
 * system in memory, and is listed at the end. No other process sees it, nor what it mounts.
 */
const HOST = `
set -euo pipefail
mount -t tmpfs tmpfs "$T"
for d in usr etc var/lib; do
  mkdir -p "$T/new/$d" "$T/work/$d"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$T/new/$d,workdir=$T/work/$d" "/$d"
done
export PATH="$P/bin:/usr/sbin:/usr/bin:/sbin:/bin" IZO_RUN_DIR="$T/run" IZO_STATE_DIR="$T/var"
A=$T/a B=$T/b
lentos=''
end() { umount $T/izo0 $T/izo1 2>/dev/null || true; umountizo >&2 || true; kill $lentos 2>/dev/null || true; wait; }
trap end EXIT
`;

const STORY = `
izo install > /dev/null
test -x /sbin/mount.InterMezzo
man -w -M /usr/local/share/man izo-mkizofs > /dev/null || test -e /usr/local/share/man/man8/izo-mkizofs.8
mkdir -p $A $B $T/izo0 $T/izo1
echo '<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="127.0.0.31" />' > $A/sysid
echo '<serverdb><server name="muskox" ipaddr="127.0.0.31" bindaddr="127.0.0.31" /></serverdb>' > $A/serverdb
echo '<fsetdb><fileset name="shared" servername="muskox"></fileset></fsetdb>' > $A/fsetdb
for n in 0 1; do
  mkizofs --size 16M -v shared $T/cache$n >&2
  echo "$T/cache$n $T/izo$n InterMezzo loop,fileset=shared,prestodev=/dev/intermezzo$n,_netdev,nofail 0 0" >> $T/fstab
done
export LIBMOUNT_FSTAB=$T/fstab
mount $T/izo0
izo invite clientA --configdir $A | izo join - --configdir $B --bindaddr 127.0.0.32 --psdev /dev/intermezzo1 >&2
mount $T/izo1
lento --configdir $A >&2 & lentos="$!"
lento --configdir $B >&2 & lentos="$lentos $!"
echo hello > $T/izo0/greeting
for i in {1..200}; do cmp -s $T/izo0/greeting $T/izo1/greeting && break; sleep 0.1; done
cat $T/izo1/greeting
umountizo --drain $T/izo1 --timeout 30 >&2
end; trap - EXIT
izo install --uninstall > /dev/null
# What is left of it; mount(8) and others keep files of their own.
find $T/new -type f -path '*izo*' -o -name '*lento*' -o -iname '*intermezzo*' -o -name 'kml*'
`;

describe('the package', function () {
  this.timeout(200_000);
  let scratch = '';

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'izo-package-'));
    // As \`npm i -g --prefix\` puts it, but with the packages that are here: tests need no registry.
    const modules = join(scratch, 'lib/node_modules');
    mkdirSync(join(modules, 'izo'), { recursive: true });
    mkdirSync(join(scratch, 'bin'));
    mkdirSync(join(scratch, 't'));
    const pack = [
      'pack',
      '--ignore-scripts',
      '--silent',
      '--offline',
      '--pack-destination',
      scratch,
    ];
    const { stdout } = await execa('npm', pack, { cwd: ROOT });
    const file = join(scratch, stdout.trim().split('\n').at(-1) ?? '');
    await execa('tar', ['xzf', file, '-C', join(modules, 'izo'), '--strip-components=1']);
    symlinkSync(join(ROOT, 'node_modules'), join(modules, 'izo/node_modules'));
    const about = JSON.parse(readFileSync(join(modules, 'izo/package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    for (const [name, path] of Object.entries(about.bin)) {
      symlinkSync(join('../lib/node_modules/izo', path), join(scratch, 'bin', name));
    }
    await execa('chmod', ['+x', join(modules, 'izo/bin/izo.js')]);
  });

  after(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it('installed on a host, mounts by fstab, replicates, and leaves nothing when it is removed', async () => {
    const { stdout } = await execa('unshare', ['--mount', 'bash', '-c', HOST + STORY], {
      env: { T: join(scratch, 't'), P: scratch },
      cwd: '/',
      timeout: 180_000,
    });
    assert.equal(stdout, 'hello');
  });
});
