#!/bin/sh
# A read-only namespace: the kernel knows, reads work, nothing can be written.
. ./checks.sh

step "the block device is read-only"
equal "read-only" "$(blockdev --getro "$disk")" 1
run_fio --name=read --rw=randread --bs=4k --size=4m --iodepth=16

step "writes end with Namespace is Write Protected"
pattern w "$lba" >"$work/p"
head -c "$lba" /dev/zero >"$work/zero"
expect 0x20 write "$disk" -s 0 -c 0 -z "$lba" -d "$work/p"
expect 0x20 write-zeroes "$disk" -s 0 -c 0
expect 0x20 dsm "$disk" -d -s 0 -b 8
same "$work/zero" 0
kernel_is_content
