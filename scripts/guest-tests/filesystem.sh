#!/bin/sh
# Two partitions, ext4 on one: files survive a remount, the file system is consistent, discards hurt nobody.
. ./checks.sh

step "partitions"
printf '%s\n' 'label: gpt' 'size=64MiB' 'type=linux' | sfdisk -q --wipe-partitions always "$disk"
[ -b "${disk}p1" ] && [ -b "${disk}p2" ] || fail "no ${disk}p1 and p2"
pattern neighbour 4194304 >"$work/p"
dd if="$work/p" of="${disk}p2" oflag=direct bs=1M 2>/dev/null

step "mkfs.ext4, files, sync"
mkfs.ext4 -q "${disk}p1"
mkdir "$work/m"
mount -o discard "${disk}p1" "$work/m"
for n in 1 2 3 4 5 6 7 8; do
  mkdir "$work/m/$n"
  pattern "$n" $((n * 300007)) >"$work/m/$n/file"
done
rm -r "$work/m/3" "$work/m/6"
(cd "$work/m" && find . -type f -exec sha256sum {} +) >"$work/sums"
at_least files "$(wc -l <"$work/sums")" 6
sync
fstrim "$work/m"
umount "$work/m"

step "remount, checksums, e2fsck"
echo 3 >/proc/sys/vm/drop_caches
mount -o ro "${disk}p1" "$work/m"
(cd "$work/m" && sha256sum -c "$work/sums") >"$work/out" || fail "$(cat "$work/out")"
umount "$work/m"
e2fsck -fn "${disk}p1" >"$work/out" 2>&1 || fail "$(cat "$work/out")"
dd if="${disk}p2" iflag=direct bs=1M count=4 2>/dev/null | cmp - "$work/p" || fail "the other partition"
kernel_is_content
