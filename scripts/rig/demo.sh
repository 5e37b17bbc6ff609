#!/bin/sh
# What scripts/run shows, in the guest: an ordinary NVMe disk, used by an ordinary Linux.
. ./checks.sh

step "nvme list, id-ctrl"
nvme list
nvme id-ctrl $ctrl | grep -E '^(vid|sn|mn|fr|mdts|ver|oacs|nn|oncs|vwc|sgls|subnqn) '

step "a partition with ext4, files on it, flushed"
printf '%s\n' 'label: gpt' 'start=1MiB, size=256MiB' 'start=512MiB, size=64MiB' | sfdisk -q --wipe-partitions always "$disk"
mkfs.ext4 -q "${disk}p1"
mkdir "$work/m"
mount "${disk}p1" "$work/m"
echo "Hello from the guest, through nvmed." >"$work/m/hello.txt"
for n in 1 2 3 4; do pattern "file $n" $((n * 1000003)) >"$work/m/file$n"; done
(cd "$work/m" && sha256sum hello.txt file* | tee SHA256SUMS)
umount "$work/m"

step "unmounted, mounted again, checksums verified, file system checked"
echo 3 >/proc/sys/vm/drop_caches
mount -o ro "${disk}p1" "$work/m"
(cd "$work/m" && sha256sum -c SHA256SUMS) || fail "a checksum"
umount "$work/m"
e2fsck -fn "${disk}p1"

step "fio with verification, 4 KiB random writes and reads on every CPU"
run_fio --name=demo --offset=640m --size=64m --offset_increment=64m --numjobs="$(nproc)" --rw=randwrite --bs=4k \
  --iodepth=32 --verify=crc32c

step "a line of text at the start of the second partition, with nvme write and flush"
echo "512 MiB into the image: written by the guest with nvme write." >"$work/text"
truncate -s "$lba" "$work/text"
ok write "${disk}" -s $((512 * 1048576 / lba)) -c 0 -z "$lba" -d "$work/text"
ok flush "$disk"

step "nvme smart-log"
nvme smart-log $ctrl | grep -E '^(critical_warning|temperature|available_spare|percentage|Data|host_)'
kernel_is_content
