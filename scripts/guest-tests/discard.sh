#!/bin/sh
# Discard and zeroing through the block layer: the range reads as zero, its neighbours are untouched.
. ./checks.sh

mib=1048576
pattern discard $((8 * mib)) >"$work/p"
dd if="$work/p" of="$disk" oflag=direct bs=1M 2>/dev/null

# hole FIRST LAST: MiBs FIRST to LAST-1 of the first 8 are zero, the rest is the pattern
hole() {
  dd if="$disk" iflag=direct bs=1M count=8 2>/dev/null >"$work/got"
  cp "$work/p" "$work/want"
  dd if=/dev/zero of="$work/want" bs=1M seek="$1" count=$(($2 - $1)) conv=notrunc 2>/dev/null
  cmp "$work/want" "$work/got" || fail "MiBs $1 to $2"
}

step "blkdiscard"
[ "$(cat "$queue/discard_max_bytes")" -gt 0 ] || fail "no discard"
blkdiscard -o $mib -l $((3 * mib)) "$disk"
dlfeat=$(field dlfeat "$(nvme id-ns "$disk")")
equal "deallocated blocks read as (dlfeat, 1 is zeros)" $((dlfeat & 7)) 1
hole 1 4

step "blkdiscard --zeroout"
[ "$(cat "$queue/write_zeroes_max_bytes")" -gt 0 ] || fail "no write zeroes"
blkdiscard -z -o $((4 * mib)) -l $((2 * mib)) "$disk"
hole 1 6

step "writing into the hole"
dd if="$work/p" of="$disk" oflag=direct bs=1M skip=2 seek=2 count=1 2>/dev/null
dd if="$work/want" of="$work/p2" bs=1M 2>/dev/null
dd if="$work/p" of="$work/p2" bs=1M skip=2 seek=2 count=1 conv=notrunc 2>/dev/null
dd if="$disk" iflag=direct bs=1M count=8 2>/dev/null | cmp - "$work/p2" || fail "the hole, written to"

step "blkdiscard of the whole namespace"
blkdiscard "$disk"
run_fio --name=zero --rw=read --bs=1m --verify=pattern --verify_pattern=0
kernel_is_content
