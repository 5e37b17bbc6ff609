#!/bin/sh
# Run by scripts/fault-test in a guest: nvmed on files whose file systems are full, fail, become read-only, or are
# changed behind its back; and on a thin volume without space.
# Prints a line for each step; status 1 where an answer was another one than expected.
. ./steps.sh

disk=$(disk 0)
half=65536 # 32 MiB of 512 bytes
mkdir -p /mnt/small /mnt/files

[ -d /sys/module/dm_mod ] || load_modules || exit 1
# A thin volume of 32 MiB in a pool that has 4 MiB, and 8 later.
dmsetup create data --table "0 8192 linear $disk $half" || exit 1
dmsetup create pool --table "0 8192 thin-pool /dev/ram0 /dev/mapper/data 128 0 1 error_if_no_space" || exit 1
dmsetup message pool 0 "create_thin 0"
dmsetup create thin --table "0 $half thin /dev/mapper/pool 0" || exit 1
# ext4 on a disk that can fail, and 4 MiB of memory.
dmsetup create files --table "0 $half linear $disk 0" || exit 1
mkfs.ext4 -q -J size=4 /dev/mapper/files || exit 1
mount -t ext4 -o errors=remount-ro /dev/mapper/files /mnt/files || exit 1
mount -t tmpfs -o size=4m none /mnt/small || exit 1
truncate -s 32M /mnt/small/image
truncate -s 64M /mnt/files/sparse
dd if=/dev/zero of=/mnt/files/image bs=1M count=8 conv=fsync 2>/dev/null
cat >nvmed.toml <<TOML
[daemon]
control_socket = "control"
image_folders = ["/mnt", "/mnt/files", "/mnt/small"]
[[controller]]
name = "thin"
socket = "thin.sock"
[[controller.namespace]]
image = "/dev/mapper/thin"
[[controller]]
name = "small"
socket = "small.sock"
[[controller.namespace]]
image = "/mnt/small/image"
[[controller]]
name = "sparse"
socket = "sparse.sock"
[[controller.namespace]]
image = "/mnt/files/sparse"
[[controller]]
name = "image"
socket = "image.sock"
[[controller.namespace]]
image = "/mnt/files/image"
[[controller]]
name = "well"
socket = "well.sock"
[[controller.namespace]]
image = "$(disk 1)"
TOML
serve

# fill BLOCKS: writes of so many blocks, 1024 at a time, of which some succeed and then all fail for want of space; those
# that were acknowledged are flushed and there. $full is where the first one failed.
fill() {
  lba=0 full=-1
  while [ $lba -lt "$1" ]; do
    tell "write $lba 1024 1"
    case $answer in
      0/00) [ $full -lt 0 ] || fail "write $lba succeeds, though $full has found no space" ;;
      '0/81 dnr') [ $full -ge 0 ] || full=$lba ;;
      *) fail "write $lba 1024: $answer; expected: 0/00 or 0/81 dnr" ;;
    esac
    lba=$((lba + 1024))
  done
  [ $full -gt 0 ] || fail "the space ends at $full"
  expect flush 0/00
  lba=0
  while [ $lba -lt "$full" ]; do
    expect "read $lba 1024" '0/00 1'
    lba=$((lba + 1024))
  done
}

say "no space left: a thin pool"
connect thin.sock
fill 16384
expect 'log 1' "0/81 dnr at 15360"
expect 'write 0 1024 2' 0/00
expect "fua $full 1024 2" '0/81 dnr'
counted 0
well 1
table data "0 16384 linear $disk $half"
table pool "0 16384 thin-pool /dev/ram0 /dev/mapper/data 128 0 1 error_if_no_space"
expect "write $full 1024 2" 0/00
expect flush 0/00
expect "read $full 1024" '0/00 2'
expect 'read 0 1024' '0/00 2'
counted 0
disconnect

say "no space left: a sparse image in 4 MiB of memory"
connect small.sock
fill 16384
counted 0
mount -o remount,size=16m /mnt/small
expect "write $full 1024 2" 0/00
expect flush 0/00
expect "read $full 1024" '0/00 2'
disconnect

say "no space left: a sparse image in ext4"
connect sparse.sock
fill 65536
expect 'zero 64512 1024' 0/00 '0/81 dnr' # (an extent of zeros may need no space)
counted 0
# Space that the guest gives back is there for others.
expect 'discard 0 1024' 0/00
expect "write $full 1024 2" 0/00
expect 'write 1024 1024 2' 0/00
expect flush 0/00
expect "read $full 1024" '0/00 2'
expect 'read 1024 1024' '0/00 2'
expect 'read 0 1024' '0/00 zeros'
disconnect
require "ctl namespace remove" ctl namespace remove sparse 1
rm /mnt/files/sparse
sync # (until then the space is not free)

say "an image is truncated while in use"
connect image.sock
expect 'write 0 64 1' 0/00
expect 'write 8160 64 1' 0/00
expect flush 0/00
truncate -s 4M /mnt/files/image
expect 'read 8160 64' 2/81
expect 'read 8192 8' 2/81
expect 'read 16376 8' 2/81
expect 'read 8160 32' '0/00 1'
expect 'write 8160 32 2' 0/00
counted 0
well 2
# What is written behind the end makes it longer, and what is between reads as zeros.
expect 'write 12288 8 2' 0/00
expect 'read 12288 8' '0/00 2'
expect 'read 8192 8' '0/00 zeros'
truncate -s 4M /mnt/files/image
require "ctl namespace resize" ctl namespace resize image 1
expect 'read 8192 8' '0/80 dnr'
expect 'write 8192 8 3' '0/80 dnr'
truncate -s 8M /mnt/files/image
require "ctl namespace resize" ctl namespace resize image 1
expect 'read 8160 32' '0/00 2'
expect 'read 8192 8' '0/00 zeros'
expect 'write 8192 64 3' 0/00
expect flush 0/00
counted 0

say "an image is unlinked while in use"
rm /mnt/files/image
expect 'write 8192 64 4' 0/00
expect flush 0/00
expect 'read 8192 64' '0/00 4'
expect 'read 0 64' '0/00 1'
counted 0
require "ctl status" ctl status
require "ctl namespace remove" ctl namespace remove image 1
sync
require "a new image ($(df -k /mnt/files | tail -n 1))" dd if=/dev/zero of=/mnt/files/image bs=1M count=8 conv=fsync
require "ctl namespace add" ctl namespace add image --image /mnt/files/image --set nsid=1
expect 'read 8192 64' '0/00 zeros'

say "ext4 loses its disk, and becomes read-only"
expect 'write 0 64 5' 0/00
expect flush 0/00
table files "0 $half flakey $disk 0 0 1000 1 error_writes"
expect 'write 0 64 6' 2/80
# The journal cannot be written any more, as soon as ext4 tries to.
mount -o remount,abort /mnt/files 2>/dev/null
expect flush 2/80
well 3
table files "0 $half linear $disk 0"
lost
# (Linux 6.12 reads nothing from such a file system; before and after, it refuses to write only.)
expect 'write 0 64 6' '0/20 dnr' 2/80
expect 'fua 64 8 6' '0/20 dnr' 2/80
expect 'read 0 64' '0/00 5' 2/81
counted 4
# The operator's part: the file system is repaired without the image, which is opened anew then.
close_lost image /mnt/files/image
require "umount" umount /mnt/files
e2fsck -p /dev/mapper/files >output 2>&1
[ $? -le 1 ] || fail "e2fsck: $(cat output)"
require "mount" mount -t ext4 -o errors=remount-ro /dev/mapper/files /mnt/files
require "ctl namespace add" ctl namespace add image --image /mnt/files/image --set nsid=1
expect 'read 0 64' '0/00 5'
expect 'write 0 64 7' 0/00
expect flush 0/00
expect 'read 0 64' '0/00 7'
expect 'fua 64 8 7' 0/00
disconnect
finish
