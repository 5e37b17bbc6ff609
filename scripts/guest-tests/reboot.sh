#!/bin/sh
# The guest reboots under load, first in good order, then as by a reset button; all that it flushed is there.
. ./checks.sh

# stored STAGE: a batch of the stage's data, flushed, in a part of the disk of its own
stored() {
  pattern "stage $1" 2097152 >"$work/p"
  dd if="$work/p" of="$disk" bs=64k seek=$(($1 * 32)) oflag=direct conv=fsync 2>/dev/null
}
verified() {
  pattern "stage $1" 2097152 >"$work/p"
  same "$work/p" $(($1 * 2097152 / lba))
}
load() {
  fio --name=load --filename="$disk" --offset=32m --size=64m --rw=randwrite --bs=64k --ioengine=libaio --direct=1 \
    --iodepth=32 --numjobs=2 --time_based --runtime=10m --eta=never --output=/dev/null &
  mark=$(($(awk '{ print $5 }' "/sys/block/${disk#/dev/}/stat") + 200))
  wait_for "the load" 10 busy
}
busy() { [ "$(awk '{ print $5 }' "/sys/block/${disk#/dev/}/stat")" -ge $mark ]; }

case $STAGE in
  1)
    step "file system and data, then reboot under load"
    printf '%s\n' 'label: gpt' 'start=128MiB,size=64MiB' | sfdisk -q --wipe-partitions always "$disk"
    mkfs.ext4 -q "${disk}p1"
    mkdir "$work/m"
    mount "${disk}p1" "$work/m"
    pattern file 3000000 >"$work/m/file"
    (cd "$work/m" && sha256sum file >sums)
    umount "$work/m"
    stored 1
    load
    kernel_is_content
    reboot -f
    sleep 60
    ;;
  2)
    step "verification, more data, then a reset under load"
    verified 1
    stored 2
    load
    kernel_is_content
    echo b >/proc/sysrq-trigger
    sleep 60
    ;;
  3)
    step "verification"
    verified 1
    verified 2
    mkdir "$work/m"
    mount -o ro "${disk}p1" "$work/m"
    (cd "$work/m" && sha256sum -c sums) || fail "the file"
    umount "$work/m"
    run_fio --name=after --rw=randrw --bs=4k --size=4m --iodepth=16 --verify=crc32c
    kernel_is_content
    ;;
esac
