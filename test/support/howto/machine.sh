# One host of docs/howto.md: a machine of its own as far as files, processes, devices, mounts and the network go. The file
# system of this one is below, and nothing of what is changed comes through. T: its directory, in which io is what it is
# told and what it answers. IZO: the checkout. NAME: its own. NAMES: of the programs.
set -euo pipefail
IO=$T/io
T=$T/fs
mount -t tmpfs tmpfs "$T"
mkdir "$T/changed" "$T/work" "$T/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$T/changed,workdir=$T/work" "$T/root"
R=$T/root
mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys"
for d in dev run tmp var/lib; do
  mount -t tmpfs tmpfs "$R/$d"
done
mkdir -p "$R$IZO" "$R/run/howto" "$R/root"
mount --bind "$IZO" "$R$IZO"
mount --bind "$IO" "$R/run/howto"
for n in null zero full random urandom tty fuse loop-control; do
  cp -a "/dev/$n" "$R/dev/$n"
done
for n in {0..255}; do
  mknod "$R/dev/loop$n" b 7 "$n"
done
ln -s /proc/self/fd "$R/dev/fd"
mkdir "$R/dev/pts"
mount -t devpts devpts "$R/dev/pts" -o newinstance,ptmxmode=0666
ln -s pts/ptmx "$R/dev/ptmx"
# As npm link does.
for n in $NAMES; do
  ln -sf "$IZO/bin/izo.js" "$R/usr/local/bin/$n"
done
rm -rf "$R/etc/intermezzo" "$R/var/intermezzo"
echo '# /etc/fstab' > "$R/etc/fstab"
echo "127.0.0.1 localhost" > "$R/etc/hosts"
hostname "$NAME"
export PATH="/usr/local/bin:$PATH" HOME=/root
cd "$R"
exec chroot . bash --norc /run/howto/shell.sh
