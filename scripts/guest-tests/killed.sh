#!/bin/sh
# First boot (no argument): writes records, each flushed and then told to the host, under a load on every queue,
# until the host kills QEMU or the device. Second boot (the number of the last record that the host was told of):
# each of them must be there, and no block of the load may be torn.
. ./checks.sh

size=32768
record() { pattern "record $1" $size; }
load() { # 4 KiB blocks, overwritten in a random order, in the second half of the first 64 MiB
  fio --name=load --filename="$disk" --offset=32m --size=32m --bs=4k --ioengine=libaio --direct=1 --iodepth=16 \
    --verify=crc32c --verify_fatal=1 --verify_header_seed=0 --eta=never --output="$work/fio" "$@"
}

if [ $# -eq 0 ]; then
  load --rw=write --do_verify=0
  load --rw=randwrite --do_verify=0 --norandommap --time_based --runtime=10m &
  n=0
  while [ $n -lt 1000 ]; do
    n=$((n + 1))
    record $n >"$work/p"
    dd if="$work/p" of="$disk" bs=$size seek=$((n - 1)) oflag=direct conv=fsync 2>/dev/null || fail "record $n"
    echo "acknowledged $n"
  done
  sleep 60
  fail "nobody killed it"
fi

step "$1 records that were acknowledged"
at_least records "$1" 1
for n in $(seq "$1"); do
  record "$n" >"$work/p"
  same "$work/p" $(((n - 1) * size / lba))
done
step "whole blocks"
load --rw=read --verify_only || fail "$(cat "$work/fio")"
kernel_is_content
