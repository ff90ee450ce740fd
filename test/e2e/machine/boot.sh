# boot.sh FOLDER [INIT...]: this machine once more, over a copy that forgets what is written, in namespaces of its own and
# without a network: Debian's dpkg and systemd may do there as they like. FOLDER is there as /packages.
set -e
folder=$1
shift
mount --make-rprivate /
mount -t tmpfs none "$folder/room"
mkdir "$folder/room/upper" "$folder/room/work" "$folder/room/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/room/upper,workdir=$folder/room/work" "$folder/room/root"
cd "$folder/room/root"
mkdir packages
mount --bind "$folder/packages" packages
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup 2>/dev/null || true
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
ip link set lo up
# Of this machine's own services none, and nothing that would reach out of here.
rm -f usr/sbin/policy-rc.d
find etc/systemd/system -mindepth 1 -delete
printf '[Unit]\nRequires=systemd-journald.socket\nAfter=systemd-journald.socket\n' >etc/systemd/system/bare.target
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-modules-load.service modprobe@.service \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount \
  sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount systemd-sysctl.service systemd-remount-fs.service; do
  ln -sf /dev/null "etc/systemd/system/$unit"
done
# Not chroot(8): systemd's services have mounts of their own, and take the root of all for theirs.
mkdir before
pivot_root . before
exec env -i container=sluice PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'umount -l /before; exec "$@"' sh "$@"
